#pragma once

#include "core/file_bytes.hpp"

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe {

/// A long run of bytes in pieces, borrowed where they stand already and owned where they are new: what a
/// rewrite gives before anybody writes it. Borrowed bytes must outlive the rope.
class Rope {
public:
    void borrow(std::string_view bytes);
    void own(std::string bytes);
    /// Owns `bytes` without adding them: what it gives may be borrowed here, any number of times.
    std::string_view keep(std::string bytes);
    /// Takes the pieces of `other` to the end.
    void append(Rope&& other);

    std::uint64_t size() const noexcept { return size_; }
    const std::vector<std::string_view>& pieces() const noexcept { return pieces_; }

    /// All bytes in one string.
    std::string str() const;

    /// Writes all to `fd`. Large pieces of `source` (null: none) go from file to file inside the kernel.
    /// Throws Error{Output} about `name`.
    void write_to(int fd, const FileBytes* source, const std::filesystem::path& name) const;

    /// True where the bytes are exactly `other`.
    bool equals(std::string_view other) const noexcept;

private:
    /// Room for pieces of a few bytes each: a rewrite owns hundreds.
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t used = 0;
    };

    std::vector<std::string_view> pieces_;
    // What is owned keeps its place as the rope grows or moves.
    std::vector<Block> blocks_;
    std::list<std::string> long_owned_;
    std::uint64_t size_ = 0;
};

} // namespace dcmpipe
