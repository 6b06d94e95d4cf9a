#pragma once

#include "core/sha256.hpp"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace dcmpipe::upload {

/// Reads an open file from its start to `size` and computes its digest in a thread of its own, a few blocks
/// ahead of who takes them. One thread may take.
class ReadAhead {
public:
    /// `fd` must live as long; `name` stands for it in errors.
    ReadAhead(int fd, std::uint64_t size, std::filesystem::path name);
    /// Gives the rest up.
    ~ReadAhead();
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;

    /// The next bytes, 0 at the end. Throws Error{Input} where they cannot be read, or the file ended before
    /// `size`.
    std::size_t take(char* buffer, std::size_t size);

    /// Of all bytes, once all were taken.
    const std::string& sha256() const noexcept { return sha256_; }

private:
    struct Block {
        std::string bytes;
        std::size_t size = 0;
    };

    void read_all();
    void read(Block& block, std::uint64_t at);

    int fd_;
    std::uint64_t size_;
    std::filesystem::path name_;
    std::array<Block, 4> blocks_;
    std::mutex mutex_;
    std::condition_variable moved_;
    std::uint64_t read_ = 0;  ///< blocks, the next is blocks_[read_ % 4]
    std::uint64_t taken_ = 0; ///< blocks
    std::size_t at_ = 0;      ///< in the block that is being taken
    bool ended_ = false;      ///< no more blocks will be read
    bool given_up_ = false;
    std::exception_ptr trouble_;
    std::string sha256_;
    std::thread thread_; ///< the last member: it uses the others
};

} // namespace dcmpipe::upload
