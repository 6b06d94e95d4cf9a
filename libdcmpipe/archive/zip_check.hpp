#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
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

/// check_zip() in the background, so that the file can go somewhere meanwhile. Not for sharing between
/// threads; throws what check_zip() throws.
class ZipCheck {
public:
    /// Reads the directory and the local headers; `fd` must live as long.
    ZipCheck(int fd, const std::filesystem::path& name, const std::string& password);
    /// Gives the rest up.
    ~ZipCheck();
    ZipCheck(const ZipCheck&) = delete;
    ZipCheck& operator=(const ZipCheck&) = delete;

    /// Of CheckedZip; holds for the file once all its entries are known to be whole.
    const std::string& content() const;

    /// True once all entries are known to be whole; false where that takes longer than this. Begins the check
    /// when first called, and throws as soon as an entry is known to be damaged.
    bool is_whole(std::chrono::milliseconds wait);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// True where both ZIPs have the same names and, decrypted, the same files in the same order; `b` is open.
bool same_entries(const std::filesystem::path& a, int b, const std::string& password);

} // namespace dcmpipe::archive
