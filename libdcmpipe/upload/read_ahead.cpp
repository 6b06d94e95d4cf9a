#include "upload/read_ahead.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

namespace dcmpipe::upload {

namespace {

constexpr std::size_t block_size = 512U * 1024U;

} // namespace

ReadAhead::ReadAhead(int fd, std::uint64_t size, std::filesystem::path name)
    : fd_(fd), size_(size), name_(std::move(name)), thread_([this] { read_all(); })
{
}

ReadAhead::~ReadAhead()
{
    {
        const std::lock_guard lock{mutex_};
        given_up_ = true;
    }
    moved_.notify_all();
    thread_.join();
}

void ReadAhead::read(Block& block, std::uint64_t at)
{
    block.bytes.resize(block_size);
    ssize_t got = 0;
    do {
        got = ::pread(
            fd_, block.bytes.data(), std::min<std::uint64_t>(block_size, size_ - at), static_cast<off_t>(at));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        throw Error::from_errno(ErrorKind::Input, "cannot read", name_.string());
    }
    if (got == 0) {
        throw Error{ErrorKind::Input, "cannot upload", name_.string(), "it changed meanwhile"};
    }
    block.size = static_cast<std::size_t>(got);
}

void ReadAhead::read_all()
{
    Sha256 digest;
    std::uint64_t at = 0;
    std::unique_lock lock{mutex_};
    try {
        while (at < size_) {
            moved_.wait(lock, [&] { return given_up_ || read_ - taken_ < blocks_.size(); });
            if (given_up_) {
                return;
            }
            auto& block = blocks_[read_ % blocks_.size()];
            lock.unlock();
            read(block, at);
            digest.add({block.bytes.data(), block.size});
            at += block.size;
            lock.lock();
            ++read_;
            if (at == size_) {
                sha256_ = digest.hex();
                ended_ = true;
            }
            moved_.notify_all();
        }
    } catch (...) {
        if (!lock.owns_lock()) {
            lock.lock();
        }
        trouble_ = std::current_exception();
        moved_.notify_all();
    }
}

std::size_t ReadAhead::take(char* buffer, std::size_t size)
{
    std::unique_lock lock{mutex_};
    moved_.wait(lock, [&] { return read_ > taken_ || ended_ || trouble_; });
    if (read_ == taken_) {
        if (trouble_) {
            std::rethrow_exception(trouble_);
        }
        return 0;
    }
    auto& block = blocks_[taken_ % blocks_.size()];
    lock.unlock();
    const auto count = std::min(size, block.size - at_);
    std::copy_n(block.bytes.data() + at_, count, buffer);
    at_ += count;
    if (at_ == block.size) {
        at_ = 0;
        lock.lock();
        ++taken_;
        moved_.notify_all();
    }
    return count;
}

} // namespace dcmpipe::upload
