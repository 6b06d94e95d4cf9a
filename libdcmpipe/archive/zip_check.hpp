#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace dcmpipe::archive {

struct CheckedZip {
    std::uint64_t entries = 0;
    /// Of the names, lengths and CRC-32 of all entries, as 64 hexadecimal digits: the same for the same
    /// files, however they are packed. Empty where an entry is encrypted: its CRC is not known.
    std::string content;
};

/// Reads a ZIP as a stranger would: its directory and every local header, which must agree, then every entry
/// against its length and CRC-32 or, where it is encrypted, its authentication code. Several threads share
/// the entries; none is held in memory.
///
/// Throws Error{Input}: damaged, without entries, or with one that is packed in an unknown way, or encrypted
/// under another password than this one.
CheckedZip check_zip(const std::filesystem::path& zip, const std::string& password = {});

/// As above, for a file that is open and may have no name yet; `name` stands for it in errors.
CheckedZip check_zip(int fd, const std::filesystem::path& name, const std::string& password = {});

/// True where both ZIPs have the same names and, decrypted, the same files in the same order; `b` is open.
bool same_entries(const std::filesystem::path& a, int b, const std::string& password);

} // namespace dcmpipe::archive
