#include "net/storage_contexts.hpp"

#include "core/error.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"
#include "net/commitment.hpp"

#include <algorithm>
#include <array>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>

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

namespace {

bool allows(const std::vector<std::string>& list, std::string_view uid)
{
    return list.empty() || std::find(list.begin(), list.end(), uid) != list.end();
}

} // namespace

bool StoragePolicy::takes_class(std::string_view sop_class_uid) const
{
    return may_store && is_storage_class(sop_class_uid) && allows(classes, sop_class_uid);
}

bool StoragePolicy::takes_syntax(std::string_view transfer_syntax) const
{
    return allows(syntaxes, transfer_syntax);
}

std::string uid_from(std::string_view uid_or_name)
{
    std::string text{uid_or_name};
    if (dicom::uid::is_valid(text)) {
        return text;
    }
    const char* const found = dcmFindUIDFromName(text.c_str());
    if (found == nullptr) {
        throw Error{ErrorKind::Usage, "neither a UID nor the name of one, as in CTImageStorage"};
    }
    return found;
}

namespace {

/// Data sets of messages are read here, so in what we write ourselves.
std::string plain_syntax(const ProposedContext& proposed)
{
    using namespace dicom::transfer_syntax;
    const auto& offered = proposed.transfer_syntaxes;
    for (const auto syntax : {ExplicitVRLittleEndian, ImplicitVRLittleEndian}) {
        if (std::find(offered.begin(), offered.end(), syntax) != offered.end()) {
            return std::string{syntax};
        }
    }
    return {};
}

} // namespace

std::string storage_information(std::string_view sop_class_uid)
{
    constexpr std::string_view all_attributes_bytes_as_they_came{"\2\0\3\0\0\0", 6};
    return is_storage_class(sop_class_uid) ? std::string{all_attributes_bytes_as_they_came} : std::string{};
}

std::string choose_storage_syntax(const ProposedContext& proposed, const StoragePolicy& policy)
{
    using namespace dicom::transfer_syntax;
    if (!proposed.as_scu) {
        return {}; // it would serve us
    }
    if (proposed.abstract_syntax == CommitmentClass) {
        return policy.may_store ? plain_syntax(proposed) : std::string{};
    }
    const bool echo = proposed.abstract_syntax == dicom::uid::Verification;
    if (!echo && !policy.takes_class(proposed.abstract_syntax)) {
        return {};
    }
    auto offered = proposed.transfer_syntaxes;
    if (!echo) {
        std::erase_if(offered, [&](const std::string& syntax) { return !policy.takes_syntax(syntax); });
    }
    if (offered.empty()) {
        return {};
    }
    const auto& first = offered.front();
    const bool keeps_less = first == ImplicitVRLittleEndian || first == ExplicitVRBigEndian;
    const bool has_explicit =
        std::find(offered.begin(), offered.end(), ExplicitVRLittleEndian) != offered.end();
    return keeps_less && has_explicit ? std::string{ExplicitVRLittleEndian} : first;
}

} // namespace dcmpipe::net
