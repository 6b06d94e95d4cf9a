#pragma once

#include "core/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace dcmpipe::archive {

/// True where the file begins as a ZIP does, and not as a DICOM file whose preamble looks like one.
bool is_zip(const std::filesystem::path& path);

/// A ZIP, opened to take its entries out one by one. Not for sharing between threads. Members throw
/// Error{Input}: no ZIP, damaged, encrypted; Error{Output} where there is no room to unpack.
class ZipReader {
public:
    explicit ZipReader(std::filesystem::path path);
    ZipReader(ZipReader&&) noexcept;
    ZipReader& operator=(ZipReader&&) = delete;
    ~ZipReader();

    std::uint64_t entries() const;

    /// Its name as the ZIP has it: for people and messages, not to make a file by. A folder's ends in `/`.
    std::string name(std::uint64_t entry) const;

    /// The bytes of an entry, whole and of the right CRC-32, in a nameless file of TMPDIR.
    Fd unpack(std::uint64_t entry) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::archive
