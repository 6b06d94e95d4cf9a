#pragma once

#include "archive/folder_files.hpp"
#include "core/fd.hpp"

#include <cstddef>
#include <filesystem>

#include <sys/stat.h>

namespace dcmpipe::archive {

/// Reads files of a folder from begin to end and sees to it that they stay as they were when they were
/// listed. Not for sharing between threads.
class FileReader {
public:
    explicit FileReader(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// Throws Error{Input}.
    void open(const FolderFile& file);

    /// 0 at the end. Throws Error{Input}: it cannot be read, or it changed meanwhile.
    std::size_t read(char* data, std::size_t size);

    void close() noexcept { fd_.reset(); }

private:
    bool is_as_it_was() const;

    std::filesystem::path folder_;
    std::filesystem::path path_;
    std::uint64_t size_ = 0;
    std::uint64_t read_ = 0;
    Fd fd_;
    struct stat opened_ {};
};

} // namespace dcmpipe::archive
