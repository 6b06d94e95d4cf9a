#include "retrieve/request_identifier.hpp"

#include "dicom/tags.hpp"
#include "retrieve/identifier.hpp"

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace tags = dicom::tags;

std::string identifier_of(const Request& request, std::string_view transfer_syntax)
{
    Attributes keys{
        {tags::StudyInstanceUID, request.study_uid}, {tags::SeriesInstanceUID, request.series_uid}};
    if (!request.instances.empty()) {
        keys[tags::SOPInstanceUID] = fmt::format("{}", fmt::join(request.instances, "\\"));
    }
    const auto level = request.instances.empty() ? Level::Series : Level::Image;
    return encode_identifier(keys, level, transfer_syntax, {});
}

} // namespace dcmpipe::retrieve
