#pragma once

#include "archive/dicomdir.hpp"
#include "core/fd.hpp"

#include <filesystem>
#include <span>
#include <string_view>

namespace dcmpipe::archive {

/// The folder that media is made in, locked against another process that does the same. While the media is
/// not finished, a hidden folder in it says so.
class MediaFolder {
public:
    /// Makes the folder where it is missing. Throws Error{Output}.
    explicit MediaFolder(std::filesystem::path path);

    std::filesystem::path dicomdir() const { return path_ / "DICOMDIR"; }

    /// A run that made this media was killed.
    bool is_unfinished() const;
    /// Hidden names and what a fresh file system has do not count.
    bool holds_files() const;

    /// From now on the media is not finished: its DICOMDIR goes.
    void begin() const;
    /// Removes files that FileIds names but `keep`, which is sorted, does not, and folders that are empty
    /// then.
    void remove_others(std::span<const std::string_view> keep) const;
    /// Makes all files durable, then the DICOMDIR appears, and with it the media is finished.
    void publish(const Directory& dicomdir) const;

private:
    std::filesystem::path path_;
    Fd lock_;
};

} // namespace dcmpipe::archive
