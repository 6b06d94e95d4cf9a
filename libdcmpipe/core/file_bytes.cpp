#include "core/file_bytes.hpp"

#include "core/error.hpp"

#include <cerrno>
#include <functional>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dcmpipe {

namespace {

/// Below it one read costs less than a mapping and its page faults.
constexpr std::size_t read_whole_below = 64 * 1024;

[[noreturn]] void fail(const std::filesystem::path& path)
{
    throw Error::from_errno(ErrorKind::Input, "cannot read", path.string());
}

} // namespace

FileBytes FileBytes::open(const std::filesystem::path& path)
{
    // O_NONBLOCK: a FIFO among the inputs must not hang the batch; regular files ignore it.
    return of(Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)}, path);
}

FileBytes FileBytes::of(Fd fd, const std::filesystem::path& path)
{
    FileBytes file;
    file.fd_ = std::move(fd);
    struct stat status {};
    if (!file.fd_ || ::fstat(file.fd_.get(), &status) != 0) {
        fail(path);
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error{ErrorKind::Input, "cannot read", path.string(), "not a regular file"};
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size >= read_whole_below) {
        void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd_.get(), 0);
        if (mapped == MAP_FAILED) {
            fail(path);
        }
        file.mapped_ = mapped;
        file.view_ = {static_cast<const char*>(mapped), size};
        return file;
    }
    file.read_ = std::make_unique_for_overwrite<char[]>(size);
    std::size_t got = 0;
    while (got < size) {
        const auto count =
            ::pread(file.fd_.get(), file.read_.get() + got, size - got, static_cast<off_t>(got));
        if (count < 0 && errno != EINTR) {
            fail(path);
        }
        if (count == 0) {
            throw Error{ErrorKind::Input, "cannot read", path.string(), "it shrank while it was read"};
        }
        got += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    file.view_ = {file.read_.get(), size};
    return file;
}

FileBytes::FileBytes(FileBytes&& other) noexcept
    : fd_(std::move(other.fd_)), view_(std::exchange(other.view_, {})), read_(std::move(other.read_)),
      mapped_(std::exchange(other.mapped_, nullptr))
{
}

FileBytes::~FileBytes()
{
    if (mapped_ != nullptr) {
        ::munmap(mapped_, view_.size());
    }
}

std::optional<std::uint64_t> FileBytes::offset_of(std::string_view part) const noexcept
{
    const std::less_equal<> not_after;
    if (!not_after(view_.data(), part.data()) ||
        !not_after(part.data() + part.size(), view_.data() + view_.size())) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(part.data() - view_.data());
}

} // namespace dcmpipe
