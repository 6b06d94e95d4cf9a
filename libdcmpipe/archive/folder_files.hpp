#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dcmpipe::archive {

/// A file somewhere below a folder.
struct FolderFile {
    std::string name; ///< its path below the folder
    std::uint64_t size = 0;
};

/// All files below `folder` in the order of the bytes of their names; hidden files and folders are left out.
///
/// Complete or not at all: throws Error{Input} where a folder cannot be read or a name is neither a file nor
/// a folder (a link to a folder, a dangling link, a FIFO).
std::vector<FolderFile> files_below(const std::filesystem::path& folder);

} // namespace dcmpipe::archive
