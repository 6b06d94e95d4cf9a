#pragma once

#include <filesystem>
#include <vector>

namespace dcmpipe {

/// The files below `root` in the order of their names, folder by folder; `root` itself where it is none.
/// Hidden names are passed over. Throws Error{Input} where a folder cannot be read.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& root);

/// True where `path` is `folder` or stands below it, symbolic links resolved as far as they exist. Throws
/// Error{Input} where they cannot be: a circle, a folder that may not be entered.
bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder);

} // namespace dcmpipe
