#pragma once

#include "core/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/stat.h>

namespace dcmpipe::upload {

/// A file that is to be uploaded: open, locked against another process that uploads the same file, and
/// known by the digest of its bytes. Not for sharing between threads.
class Parcel {
public:
    /// Waits while another process holds the file. Throws Error{Input}: no regular file, unreadable;
    /// Error{Cancelled}: a stop was requested meanwhile.
    static Parcel open(const std::filesystem::path& path);

    const std::filesystem::path& path() const noexcept { return path_; }
    int fd() const noexcept { return fd_.get(); }
    std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(opened_.st_size); }
    const std::string& sha256() const noexcept { return sha256_; }

    /// Throws Error{Input} where the file was written to since it was opened, or its name is now another's.
    void check_unchanged() const;

    /// Deletes the file, durably, if it is still the one that was opened. Throws Error{Output}.
    void remove() const;

private:
    std::filesystem::path path_;
    Fd fd_;
    struct stat opened_ {};
    std::string sha256_;
};

} // namespace dcmpipe::upload
