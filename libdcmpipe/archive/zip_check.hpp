#pragma once

#include <cstdint>
#include <filesystem>

namespace dcmpipe::archive {

/// Reads a ZIP as a stranger would: its directory and every local header, which must agree, then every entry
/// against its length and CRC-32. Returns the number of entries, which is not 0. One entry is in work at a
/// time, none is held in memory.
///
/// Throws Error{Input}: damaged, without entries, or with one that is encrypted or packed in an unknown way.
std::uint64_t check_zip(const std::filesystem::path& zip);

/// As above, for a file that is open and may have no name yet; `name` stands for it in errors.
std::uint64_t check_zip(int fd, const std::filesystem::path& name);

} // namespace dcmpipe::archive
