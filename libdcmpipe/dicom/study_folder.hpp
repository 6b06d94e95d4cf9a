#pragma once

#include <filesystem>
#include <string_view>

/// A study folder is known by a marker file that the command that filled it leaves in it.
namespace dcmpipe::dicom {

inline constexpr std::string_view study_marker = ".dpipe-study";

/// Leaves the marker, a line of JSON with the Study Instance UID of the folder's instances; nothing where
/// it stands already. Throws Error{Output}.
void mark_study_folder(const std::filesystem::path& folder, std::string_view study_uid);

bool is_study_folder(const std::filesystem::path& folder);

} // namespace dcmpipe::dicom
