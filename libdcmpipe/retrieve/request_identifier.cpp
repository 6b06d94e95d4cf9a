#include "retrieve/request_identifier.hpp"

#include "dicom/tags.hpp"
#include "retrieve/identifier.hpp"

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace tags = dicom::tags;

namespace {

Attributes keys_of(const Request& request)
{
    Attributes keys{
        {tags::StudyInstanceUID, request.study_uid}, {tags::SeriesInstanceUID, request.series_uid}};
    if (!request.instances.empty()) {
        keys[tags::SOPInstanceUID] = fmt::format("{}", fmt::join(request.instances, "\\"));
    }
    return keys;
}

} // namespace

std::string identifier_of(const Request& request, std::string_view transfer_syntax)
{
    const auto keys = keys_of(request);
    const auto level = request.instances.empty() ? Level::Series : Level::Image;
    return encode_identifier(keys, level, transfer_syntax, {});
}

std::string identifier_at_patient_level(
    const Request& request, std::string_view transfer_syntax, std::string_view character_set)
{
    auto keys = keys_of(request);
    keys[tags::PatientID] = request.patient_id;
    return encode_identifier(keys, Level::Patient, transfer_syntax, character_set);
}

} // namespace dcmpipe::retrieve
