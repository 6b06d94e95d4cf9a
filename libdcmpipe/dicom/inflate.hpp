#pragma once

#include "core/file_bytes.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dcmpipe::dicom {

/// Inflates a raw deflate stream (RFC 1951, as PS3.5 §A.5 has it). Throws Error{Input} where it is damaged,
/// cut short, or grows past `limit` bytes.
std::string inflate(std::string_view deflated, std::uint64_t limit);

/// The same, for data sets of any size: a small one is kept in memory, a large one in a nameless file in the
/// folder for temporary files (TMPDIR), mapped, so that what nobody looks at costs no memory.
class Inflated {
public:
    static constexpr std::uint64_t MostInMemory = 16U << 20U;

    /// Throws as inflate(); Error{Output} where the file cannot be written.
    Inflated(std::string_view deflated, std::uint64_t limit, std::uint64_t in_memory = MostInMemory);

    std::string_view view() const noexcept { return file_ ? file_->view() : memory_; }

private:
    std::string memory_;
    std::unique_ptr<FileBytes> file_;
};

/// The counterpart of inflate(); the same bytes for the same input. The result has even length (PS3.5 §A.5).
std::string deflate(std::string_view bytes);

} // namespace dcmpipe::dicom
