#pragma once

#include "archive/folder_files.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace dcmpipe::archive {

/// Files one after the other, deflated (RFC 1951) by several threads in blocks of half a megabyte. What
/// comes out depends on what goes in alone, not on the number of threads; a few blocks are in memory,
/// whatever the size of the files. To be used from one thread.
class DeflatedFiles {
public:
    /// Borrows `files`, of `folder`. `jobs` threads, 0: one a core.
    DeflatedFiles(const std::filesystem::path& folder, std::span<const FolderFile> files, unsigned jobs);
    ~DeflatedFiles();

    /// Begins the next file, which must be `file`. Throws as write_zip() does.
    void open(const FolderFile& file);

    /// The next bytes of it, 0 at its end. Throws Error{Input}: it cannot be read, or changed meanwhile.
    std::size_t read(char* data, std::size_t size);

    /// Of the bytes that were read of it so far, before they were deflated.
    std::uint32_t crc() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::archive
