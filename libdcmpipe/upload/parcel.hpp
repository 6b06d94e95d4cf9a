#pragma once

#include "core/fd.hpp"
#include "upload/body.hpp"
#include "upload/read_ahead.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <sys/stat.h>

namespace dcmpipe::upload {

/// A file that is to be uploaded: open, and locked against another process that uploads the same file.
class Parcel : public Body {
public:
    /// Waits while another process holds the file. Throws Error{Input}: no regular file, unreadable;
    /// Error{Cancelled}: a stop was requested meanwhile.
    static Parcel open(const std::filesystem::path& path);
    Parcel(Parcel&&) = default;
    Parcel& operator=(Parcel&&) = delete;
    ~Parcel() override = default;

    const std::filesystem::path& path() const noexcept { return path_; }
    int fd() const noexcept { return fd_.get(); }
    std::uint64_t size() const noexcept override { return static_cast<std::uint64_t>(opened_.st_size); }

    /// True once the file is known to be whole; false where that takes longer than this. Throws where it is
    /// not.
    using Check = std::function<bool(std::chrono::milliseconds)>;
    /// From now on read() keeps the last bytes until the check says that the file is whole, and throws what
    /// it throws.
    void hold_for(Check check) { check_ = std::move(check); }
    /// Waits for that, and throws likewise; Error{Cancelled} where a stop is requested before.
    void require_whole();

    std::size_t read(char* buffer, std::size_t size) override;
    void rewind() override;

    /// The digest of all bytes: as they went out last, or read for it. Throws Error{Input} where they cannot
    /// be.
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
    std::uint64_t at_ = 0;             ///< of the byte that is read next
    std::unique_ptr<ReadAhead> ahead_; ///< since rewind()
    std::string sha256_;
    Check check_; ///< after fd_, which it may read
};

} // namespace dcmpipe::upload
