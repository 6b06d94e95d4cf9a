#include "core/rope.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <sys/uio.h>
#include <unistd.h>

namespace dcmpipe {

namespace {

/// Above it a copy inside the kernel beats a write from a mapping.
constexpr std::size_t copy_in_kernel_from = 128 * 1024;
constexpr std::size_t most_vectors = 64;
constexpr std::size_t block_size = 4096;

/// Gathers pieces until there are enough for one system call.
class Gather {
public:
    Gather(int fd, const std::filesystem::path& name) : fd_(fd), name_(name) {}

    void add(std::string_view piece)
    {
        vectors_.push_back({const_cast<char*>(piece.data()), piece.size()});
        if (vectors_.size() == most_vectors) {
            flush();
        }
    }

    void flush()
    {
        for (auto next = vectors_.begin(); next != vectors_.end();) {
            const auto written = ::writev(fd_, &*next, static_cast<int>(vectors_.end() - next));
            if (written < 0) {
                if (errno == EINTR) {
                    continue;
                }
                throw Error::from_errno(ErrorKind::Output, "cannot write", name_.string());
            }
            next = skip(next, static_cast<std::size_t>(written));
        }
        vectors_.clear();
    }

private:
    std::vector<iovec>::iterator skip(std::vector<iovec>::iterator next, std::size_t written) const
    {
        while (next != vectors_.end() && written >= next->iov_len) {
            written -= next->iov_len;
            ++next;
        }
        if (written > 0) {
            next->iov_base = static_cast<char*>(next->iov_base) + written;
            next->iov_len -= written;
        }
        return next;
    }

    int fd_;
    const std::filesystem::path& name_;
    std::vector<iovec> vectors_;
};

/// Copies between files; what remains where the file systems cannot do it.
std::string_view copy_in_kernel(int to, int from, std::uint64_t offset, std::string_view piece)
{
    auto position = static_cast<off64_t>(offset);
    while (!piece.empty()) {
        const auto copied = ::copy_file_range(from, &position, to, nullptr, piece.size(), 0);
        if (copied <= 0) {
            return piece; // the write that follows tells what is wrong, if anything is
        }
        piece.remove_prefix(static_cast<std::size_t>(copied));
    }
    return piece;
}

} // namespace

void Rope::borrow(std::string_view bytes)
{
    if (!bytes.empty()) {
        pieces_.push_back(bytes);
        size_ += bytes.size();
    }
}

void Rope::own(std::string bytes)
{
    borrow(keep(std::move(bytes)));
}

std::string_view Rope::keep(std::string bytes)
{
    if (bytes.size() > block_size / 4) {
        return long_owned_.emplace_back(std::move(bytes));
    }
    if (blocks_.empty() || block_size - blocks_.back().used < bytes.size()) {
        blocks_.push_back({std::make_unique_for_overwrite<char[]>(block_size)});
    }
    auto& block = blocks_.back();
    char* const place = block.bytes.get() + block.used;
    std::copy(bytes.begin(), bytes.end(), place);
    block.used += bytes.size();
    return {place, bytes.size()};
}

void Rope::append(Rope&& other)
{
    pieces_.insert(pieces_.end(), other.pieces_.begin(), other.pieces_.end());
    size_ += other.size_;
    std::move(other.blocks_.begin(), other.blocks_.end(), std::back_inserter(blocks_));
    long_owned_.splice(long_owned_.end(), other.long_owned_);
    other = {};
}

std::string Rope::str() const
{
    std::string all;
    all.reserve(size_);
    for (const auto piece : pieces_) {
        all += piece;
    }
    return all;
}

void Rope::write_to(int fd, const FileBytes* source, const std::filesystem::path& name) const
{
    Gather gather{fd, name};
    for (auto piece : pieces_) {
        const auto offset = source != nullptr && piece.size() >= copy_in_kernel_from
                                ? source->offset_of(piece)
                                : std::nullopt;
        if (offset) {
            gather.flush();
            piece = copy_in_kernel(fd, source->fd(), *offset, piece);
        }
        if (!piece.empty()) {
            gather.add(piece);
        }
    }
    gather.flush();
}

bool Rope::equals(std::string_view other) const noexcept
{
    if (other.size() != size_) {
        return false;
    }
    for (const auto piece : pieces_) {
        if (other.substr(0, piece.size()) != piece) {
            return false;
        }
        other.remove_prefix(piece.size());
    }
    return true;
}

} // namespace dcmpipe
