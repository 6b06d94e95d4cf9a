#pragma once

#include "core/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe {

/// The bytes of a file, for reading: a small file is read, a large one is mapped, so that what nobody looks
/// at costs no memory. The file stays open, so that its bytes can be copied without passing through here.
/// May be read from any thread; moving it keeps the view valid.
class FileBytes {
public:
    /// Throws Error{Input} where `path` is no regular file or cannot be read.
    static FileBytes open(const std::filesystem::path& path);

    /// As open(), for a file that is open already; `name` is for errors.
    static FileBytes of(Fd fd, const std::filesystem::path& name);

    FileBytes(FileBytes&& other) noexcept;
    FileBytes& operator=(FileBytes&&) = delete;
    ~FileBytes();

    std::string_view view() const noexcept { return view_; }
    int fd() const noexcept { return fd_.get(); }

    /// Where in the file a part of view() lies; nothing for bytes from elsewhere.
    std::optional<std::uint64_t> offset_of(std::string_view part) const noexcept;

private:
    FileBytes() = default;

    Fd fd_;
    std::string_view view_;
    std::unique_ptr<char[]> read_; ///< owns view_ where the file was read
    void* mapped_ = nullptr;       ///< owns view_ where it is mapped
};

} // namespace dcmpipe
