#pragma once

#include "archive/folder_files.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace dcmpipe::archive {

enum class Compression { None, Deflate };

struct ZipForm {
    Compression compression = Compression::None;
    /// Encrypts the files by AES-256 under it (WinZip's way); names stay readable. Empty: does not.
    std::string password{};
    unsigned jobs = 0; ///< threads that deflate; 0: one a core
};

/// Writes a ZIP of `files` of `folder` to `fd`, which must be empty and open for writing; each entry is named
/// after the folder's last part and the file, `1.2.3/1/2.dcm`. `name` stands for the ZIP in errors.
///
/// The bytes depend on names, content, order and compression alone, unless they are encrypted (each time
/// under another salt): every entry bears the first time that ZIP knows (1980-01-01) and mode 0644. Zip64
/// where it is needed. One file is open at a time, none is held in memory. Throws Error{Input} for a file
/// that cannot be read or changes meanwhile, Error{Output} for `fd`.
void write_zip(
    int fd, const std::filesystem::path& name, const std::filesystem::path& folder,
    std::span<const FolderFile> files, const ZipForm& form);

} // namespace dcmpipe::archive
