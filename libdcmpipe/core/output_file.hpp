#pragma once

#include "core/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

#include <sys/types.h>

namespace dcmpipe {

/// What to do where the name is taken.
enum class Existing { Keep, Replace };

/// A file that appears under its name whole and durable, or not at all.
///
/// The bytes go into a file without a name (O_TMPFILE) in the folder where the result will stand, so that a
/// process killed at any instant leaves nothing behind. Where a file system has no such files, a hidden
/// name beside the result serves. Not for sharing between threads. Every member throws Error{Output}.
class OutputFile {
public:
    /// Makes the folder of `path` where it is missing. `mode` is subject to the umask.
    explicit OutputFile(std::filesystem::path path, mode_t mode = 0640);
    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    const std::filesystem::path& path() const noexcept { return path_; }

    /// Another name for the result than the one it was begun for, on the same file system and in a folder
    /// that stands: for what is known only once the bytes are there.
    void rename_result(std::filesystem::path path) { path_ = std::move(path); }

    int fd() const noexcept { return fd_.get(); }

    void write(std::string_view bytes);

    /// Forces the bytes to the disk.
    void sync();

    /// Gives the file its name; false where the name is taken and `existing` is Keep: the bytes are dropped.
    /// The name itself is durable after sync_folder() of its folder.
    bool appear(Existing existing);

    /// sync(), appear() and sync_folder() in one: after it, the result is there for good.
    bool publish(Existing existing);

private:
    std::filesystem::path path_;
    std::filesystem::path hidden_; ///< the stand-in name, where the file system knows no nameless files
    Fd fd_;
};

/// Makes `folder` and its missing parents (mode 0750, subject to the umask), each durable in its parent.
void make_folders(const std::filesystem::path& folder);

/// Makes the names in `folder` durable.
void sync_folder(const std::filesystem::path& folder);

/// Makes an empty file that its owner alone may read (mode 0600), and the folders around it, unless it is
/// there: for what names people or where their files are.
void make_private_file(const std::filesystem::path& path);

/// Writes all of `bytes` to `fd`; `name` is for the error.
void write_all(int fd, std::string_view bytes, const std::filesystem::path& name);

/// Writes a small text file durably, under its own name at once (0640, replacing what stood there).
void write_text_file(const std::filesystem::path& path, std::string_view text, mode_t mode = 0640);

} // namespace dcmpipe
