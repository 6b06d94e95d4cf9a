#include "dicom/study_folder.hpp"

#include "core/output_file.hpp"

#include <fmt/format.h>

namespace dcmpipe::dicom {

void mark_study_folder(const std::filesystem::path& folder, std::string_view study_uid)
{
    if (!is_study_folder(folder)) {
        OutputFile marker{folder / study_marker};
        marker.write(fmt::format("{{\"StudyInstanceUID\":\"{}\"}}\n", study_uid));
        marker.publish(Existing::Keep);
    }
}

bool is_study_folder(const std::filesystem::path& folder)
{
    std::error_code ignored;
    return std::filesystem::exists(folder / study_marker, ignored);
}

} // namespace dcmpipe::dicom
