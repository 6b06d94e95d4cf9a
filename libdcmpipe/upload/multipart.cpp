#include "upload/multipart.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe::upload {

namespace fs = std::filesystem;

namespace {

/// By chance and long enough that no file holds it.
std::string random_boundary()
{
    std::random_device chance;
    return fmt::format("dcmpipe-{:08x}{:08x}{:08x}{:08x}", chance(), chance(), chance(), chance());
}

constexpr std::string_view end_of_part = "\r\n";

} // namespace

Multipart::Multipart(std::string_view content_type) : content_type_(content_type)
{
    const auto boundary = random_boundary();
    head_ = fmt::format("--{}\r\nContent-Type: {}\r\n\r\n", boundary, content_type);
    closing_ = fmt::format("--{}--\r\n", boundary);
}

void Multipart::add(const fs::path& file)
{
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        throw Error::from_errno(ErrorKind::Input, "cannot read", file.string());
    }
    files_.push_back({file, static_cast<std::uint64_t>(status.st_size), {}});
    size_ += head_.size() + files_.back().size + end_of_part.size();
}

std::string Multipart::content_type() const
{
    const auto boundary = closing_.substr(2, closing_.size() - 6);
    return fmt::format("multipart/related; type=\"{}\"; boundary={}", content_type_, boundary);
}

void Multipart::rewind()
{
    part_ = 0;
    at_ = 0;
    fd_ = Fd{};
}

std::size_t Multipart::read_file(char* buffer, std::size_t size)
{
    auto& file = files_[part_];
    const auto offset = at_ - head_.size();
    if (offset == 0) {
        fd_ = Fd{::open(file.path.c_str(), O_RDONLY | O_CLOEXEC)};
        digest_.emplace();
        file.sha256.clear();
    }
    ssize_t got = 0;
    do {
        got = ::pread(
            fd_.get(), buffer, std::min<std::uint64_t>(size, file.size - offset), static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        throw Error::from_errno(ErrorKind::Input, "cannot read", file.path.string());
    }
    const auto read = static_cast<std::size_t>(got);
    char more = 0;
    const bool whole = offset + read == file.size;
    if (read == 0 || (whole && ::pread(fd_.get(), &more, 1, static_cast<off_t>(file.size)) != 0)) {
        throw Error{ErrorKind::Input, "cannot send", file.path.string(), "it changed meanwhile"};
    }
    digest_->add({buffer, read});
    if (whole) {
        file.sha256 = digest_->hex();
        fd_ = Fd{};
    }
    return read;
}

std::size_t Multipart::read(char* buffer, std::size_t size)
{
    const auto copy = [&](std::string_view text, std::uint64_t from) {
        return text.copy(buffer, size, static_cast<std::size_t>(from));
    };
    if (part_ == files_.size()) {
        const auto count = copy(closing_, at_);
        at_ += count;
        return count;
    }
    const auto& file = files_[part_];
    const auto end_of_file = head_.size() + file.size;
    const auto count = at_ < head_.size()  ? copy(head_, at_)
                       : at_ < end_of_file ? read_file(buffer, size)
                                           : copy(end_of_part, at_ - end_of_file);
    at_ += count;
    if (at_ == end_of_file + end_of_part.size()) {
        ++part_;
        at_ = 0;
    }
    return count;
}

} // namespace dcmpipe::upload
