#include "retrieve/get_contexts.hpp"

#include "dicom/uid.hpp"

#include <algorithm>
#include <array>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>

namespace dcmpipe::retrieve {

namespace {

constexpr std::size_t most_contexts = 128; // PS3.8 §9.3.2.2: odd numbers of one byte

/// The ends of the syntaxes that nodes keep instances in, after 1.2.840.10008.1.2, frequent ones first (PS3.5
/// §10, PS3.6 Table A-1; retired ones too: archives are old).
constexpr std::array<std::string_view, 46> syntaxes{
    ".1",     // explicit VR little endian
    "",       // implicit VR little endian
    ".4.70",  // JPEG lossless, first-order prediction
    ".4.90",  // JPEG 2000, lossless
    ".4.50",  // JPEG baseline
    ".4.91",  // JPEG 2000
    ".4.80",  // JPEG-LS, lossless
    ".5",     // RLE
    ".4.51",  // JPEG extended
    ".4.81",  // JPEG-LS, near-lossless
    ".4.57",  // JPEG lossless
    ".2",     // explicit VR big endian
    ".1.99",  // deflated
    ".4.201", // HTJ2K, lossless
    ".4.202", // HTJ2K, lossless, RPCL
    ".4.203", // HTJ2K
    ".4.100", // MPEG-2
    ".4.101", // MPEG-2, high level
    ".4.102", // MPEG-4
    ".4.103", // MPEG-4, for Blu-ray
    ".4.104", // MPEG-4, 4.2, 2D
    ".4.105", // MPEG-4, 4.2, 3D
    ".4.106", // MPEG-4, 4.2, stereo
    ".4.107", // HEVC
    ".4.108", // HEVC, 10 bits
    ".4.92",  // JPEG 2000 part 2, lossless
    ".4.93",  // JPEG 2000 part 2
    ".4.110", // JPEG XL, lossless
    ".4.111", // JPEG XL, out of JPEG
    ".4.112", // JPEG XL
    ".1.98",  // encapsulated, not compressed
    ".8.1",   // deflated frames
    ".4.52",  ".4.53", ".4.54", ".4.55", ".4.56", ".4.58", ".4.59",
    ".4.60",  ".4.61", ".4.62", ".4.63", ".4.64", ".4.65", ".4.66", // JPEG of other processes, retired
};

std::string syntax(std::size_t index)
{
    return "1.2.840.10008.1.2" + std::string{syntaxes[index]};
}

struct ClassesOf {
    std::string_view modality;
    std::array<std::string_view, 4> ends; ///< of 1.2.840.10008.5.1.4.1.1.
};

/// What instances of a modality mostly are (PS3.3 §A).
constexpr std::array classes_of{
    ClassesOf{"CT", {"2", "2.1", "7"}},
    ClassesOf{"MR", {"4", "4.1", "4.2", "7"}},
    ClassesOf{"PT", {"128", "130", "7"}},
    ClassesOf{"NM", {"20", "7"}},
    ClassesOf{"US", {"6.1", "3.1", "7", "6.2"}},
    ClassesOf{"CR", {"1", "7"}},
    ClassesOf{"DX", {"1.1", "1", "7"}},
    ClassesOf{"MG", {"1.2", "13.1.3", "7"}},
    ClassesOf{"XA", {"12.1", "12.1.1", "7"}},
    ClassesOf{"RF", {"12.2", "12.2.1", "7"}},
    ClassesOf{"SR", {"88.33", "88.22", "88.11", "88.34"}},
    ClassesOf{"PR", {"11.1", "11.2", "11.4"}},
    ClassesOf{"KO", {"88.59"}},
    ClassesOf{"SEG", {"66.4"}},
    ClassesOf{"RTSTRUCT", {"481.3"}},
    ClassesOf{"RTDOSE", {"481.2"}},
    ClassesOf{"RTPLAN", {"481.5", "481.8"}},
    ClassesOf{"RTIMAGE", {"481.1"}},
    ClassesOf{"ECG", {"9.1.1", "9.1.2"}},
    ClassesOf{"OT", {"7", "104.1"}},
    ClassesOf{"DOC", {"104.1", "104.2"}},
    ClassesOf{"SM", {"77.1.6"}},
    ClassesOf{"OP", {"77.1.5.1", "77.1.5.2"}},
    ClassesOf{"OPT", {"77.1.5.4"}},
    ClassesOf{"XC", {"77.1.4", "77.1.4.1"}},
    ClassesOf{"ES", {"77.1.1", "77.1.1.1", "7"}},
};

std::set<std::string> likely_classes(std::string_view modality)
{
    std::set<std::string> classes;
    for (const auto& row : classes_of) {
        for (const auto end : row.ends) {
            if (row.modality == modality && !end.empty()) {
                classes.insert("1.2.840.10008.5.1.4.1.1." + std::string{end});
            }
        }
    }
    return classes;
}

/// `count` contexts for a class: one for each of the first syntaxes, the last for all that are left.
void add_contexts(
    std::vector<net::ProposedContext>& contexts, const std::string& sop_class, std::size_t count)
{
    for (std::size_t i = 0; i < std::min(count, syntaxes.size()); ++i) {
        net::ProposedContext context{.abstract_syntax = sop_class, .as_scp = true};
        const bool last = i + 1 == count;
        for (std::size_t k = i; k < (last ? syntaxes.size() : i + 1); ++k) {
            context.transfer_syntaxes.push_back(syntax(k));
        }
        contexts.push_back(std::move(context));
    }
}

} // namespace

std::vector<net::ProposedContext> contexts_for_get(
    const std::set<std::string>& sop_classes, std::string_view modality, unsigned attempt)
{
    std::vector<net::ProposedContext> contexts{
        {.abstract_syntax = std::string{dicom::uid::StudyRootGet},
         .transfer_syntaxes = {syntax(0), syntax(1)}}};
    const bool known = !sop_classes.empty();
    const auto classes = known ? sop_classes : likely_classes(modality);
    constexpr std::size_t for_others = 56;
    const auto room = most_contexts - 1 - (known ? 0 : for_others);
    for (const auto& sop_class : classes) {
        if (contexts.size() < most_contexts) {
            add_contexts(contexts, sop_class, std::max<std::size_t>(room / classes.size(), 1));
        }
    }
    // Another attempt begins where the one before ended, so that each class has its turn.
    const auto count = static_cast<std::size_t>(numberOfDcmAllStorageSOPClassUIDs);
    const auto first = attempt * (most_contexts - contexts.size());
    for (std::size_t i = 0; !known && i < count && contexts.size() < most_contexts; ++i) {
        const std::string sop_class = dcmAllStorageSOPClassUIDs[(first + i) % count];
        if (!classes.contains(sop_class)) {
            add_contexts(contexts, sop_class, 1);
        }
    }
    return contexts;
}

} // namespace dcmpipe::retrieve
