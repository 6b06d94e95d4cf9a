#include "net/storage_contexts.hpp"

#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::net {

namespace {

/// Where the standard puts classes of storage (PS3.4 §B.5, §GG; PS3.6 Table A-1).
constexpr std::array<std::string_view, 11> storage_classes{
    "1.2.840.10008.5.1.4.1.1.", // composite objects
    "1.2.840.10008.5.1.1.27",   // stored print, retired
    "1.2.840.10008.5.1.1.29",   // hardcopy greyscale, retired
    "1.2.840.10008.5.1.1.30",   // hardcopy colour, retired
    "1.2.840.10008.5.1.4.34.7", // RT beams delivery instruction
    "1.2.840.10008.5.1.4.38.1", // hanging protocol
    "1.2.840.10008.5.1.4.39.1", // colour palette
    "1.2.840.10008.5.1.4.43.1", // generic implant template
    "1.2.840.10008.5.1.4.44.1", // implant assembly template
    "1.2.840.10008.5.1.4.45.1", // implant template group
    "1.2.840.10008.5.1.4.34.1", // RT beams delivery instruction, trial
};

} // namespace

bool is_storage_class(std::string_view sop_class_uid) noexcept
{
    if (!dicom::uid::is_well_known(sop_class_uid)) {
        return dicom::uid::is_valid(sop_class_uid);
    }
    return std::any_of(storage_classes.begin(), storage_classes.end(), [&](std::string_view known) {
        return known.ends_with('.') ? sop_class_uid.starts_with(known) : sop_class_uid == known;
    });
}

std::string choose_storage_syntax(const ProposedContext& proposed)
{
    using namespace dicom::transfer_syntax;
    const auto& offered = proposed.transfer_syntaxes;
    const bool ours =
        proposed.abstract_syntax == dicom::uid::Verification || is_storage_class(proposed.abstract_syntax);
    if (!ours || offered.empty()) {
        return {};
    }
    const auto& first = offered.front();
    const bool keeps_less = first == ImplicitVRLittleEndian || first == ExplicitVRBigEndian;
    const bool has_explicit =
        std::find(offered.begin(), offered.end(), ExplicitVRLittleEndian) != offered.end();
    return keeps_less && has_explicit ? std::string{ExplicitVRLittleEndian} : first;
}

} // namespace dcmpipe::net
