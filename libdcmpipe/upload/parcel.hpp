#pragma once

#include "core/fd.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include <sys/stat.h>

namespace dcmpipe::upload {

/// A file that is to be uploaded: open, and locked against another process that uploads the same file. Not
/// for sharing between threads.
class Parcel {
public:
    /// Waits while another process holds the file. Throws Error{Input}: no regular file, unreadable;
    /// Error{Cancelled}: a stop was requested meanwhile.
    static Parcel open(const std::filesystem::path& path);
    Parcel(Parcel&&) = default;
    Parcel& operator=(Parcel&&) = delete;
    ~Parcel();

    const std::filesystem::path& path() const noexcept { return path_; }
    int fd() const noexcept { return fd_.get(); }
    std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(opened_.st_size); }

    /// Begins to compute the digest in a thread of its own, while the file goes out.
    void begin_digest();
    /// The digest of all bytes, once it is known. Throws Error{Input} where they cannot be read.
    const std::string& sha256();

    /// Throws Error{Input} where the file was written to since it was opened, or its name is now another's.
    void check_unchanged() const;

    /// Deletes the file, durably, if it is still the one that was opened. Throws Error{Output}.
    void remove() const;

private:
    Parcel() = default;

    std::filesystem::path path_;
    Fd fd_;
    struct stat opened_ {};
    std::string sha256_;
    std::shared_ptr<std::atomic<bool>> abandoned_ = std::make_shared<std::atomic<bool>>(false);
    std::future<std::string> digest_; ///< the last member: its thread reads from fd_
};

} // namespace dcmpipe::upload
