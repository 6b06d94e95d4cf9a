#include "send/data_set_file.hpp"

#include "archive/zip_reader.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace dcmpipe::send {

namespace {

/// As long as the longest PDU that DICOM peers commonly take.
constexpr std::size_t piece_size = 128 * 1024;

[[noreturn]] void fail(const Item& item)
{
    throw Error::from_errno(ErrorKind::Input, "cannot read", item.path.string());
}

Fd open(const Item& item)
{
    if (item.entry) {
        return archive::ZipReader{item.path}.unpack(*item.entry);
    }
    return Fd{::open(item.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
}

} // namespace

DataSetFile::DataSetFile(const Item& item)
    : item_(item), fd_(open(item)), buffer_(std::min<std::uint64_t>(piece_size, item.size))
{
    struct stat status {};
    const bool good =
        fd_ && (item.entry ? ::stat(item.path.c_str(), &status) : ::fstat(fd_.get(), &status)) == 0;
    if (!good) {
        fail(item);
    }
    if (stamp_of(status) != item.stamp) {
        throw Error{ErrorKind::Input, "cannot send", item.path.string(), "it changed meanwhile"};
    }
}

net::Association::Piece DataSetFile::next()
{
    const auto wanted = std::min<std::uint64_t>(buffer_.size(), item_.size - given_);
    std::size_t got = 0;
    while (got < wanted) {
        const auto count = ::pread(
            fd_.get(), buffer_.data() + got, wanted - got, static_cast<off_t>(item_.offset + given_ + got));
        if (count < 0 && errno != EINTR) {
            fail(item_);
        }
        if (count == 0) {
            throw Error{ErrorKind::Input, "cannot read", item_.path.string(), "it shrank while it was read"};
        }
        got += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    given_ += got;
    const std::string_view bytes{buffer_.data(), got};
    sha256_.add(bytes);
    return {bytes, given_ == item_.size};
}

std::string sha256_of(const Item& item)
{
    DataSetFile file{item};
    while (!file.next().last) {
    }
    return file.sha256();
}

} // namespace dcmpipe::send
