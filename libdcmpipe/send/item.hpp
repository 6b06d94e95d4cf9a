#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/stat.h>

namespace dcmpipe::send {

/// What tells a file from what it was before without reading it.
struct Stamp {
    std::uint64_t size = 0;
    std::int64_t modified = 0; ///< nanoseconds since 1970

    bool operator==(const Stamp&) const = default;
};

Stamp stamp_of(const struct stat& status) noexcept;

/// An instance to send: what it is, and where the bytes of its data set stand.
struct Item {
    std::filesystem::path path;         ///< its file, or the ZIP that it is in
    std::optional<std::uint64_t> entry; ///< its number in the ZIP
    Stamp stamp;                        ///< of `path`
    std::string sop_class_uid;
    std::string instance_uid;
    std::string transfer_syntax;
    std::uint64_t offset = 0;      ///< of the data set, in the file or unpacked entry
    std::uint64_t size = 0;        ///< of the data set
    bool identity_removed = false; ///< (0012,0062) Patient Identity Removed is YES
};

/// Reads what is to be known of an instance; all its elements are walked, so that nothing damaged is sent.
/// Nothing for a DICOMDIR, which no node stores. Throws Error{Input}.
std::optional<Item> examine(const std::filesystem::path& path);

/// The same for an entry of the ZIP `zip` that was unpacked into the file behind `fd`.
std::optional<Item> examine_entry(
    const std::filesystem::path& zip, std::uint64_t entry, const Stamp& stamp, int fd);

} // namespace dcmpipe::send
