#include "archive/file_reader.hpp"

#include "core/error.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace dcmpipe::archive {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path)
{
    throw Error::from_errno(ErrorKind::Input, "cannot read", path.string());
}

} // namespace

void FileReader::open(const FolderFile& file)
{
    path_ = folder_ / file.name;
    size_ = file.size;
    read_ = 0;
    fd_ = Fd{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!fd_ || ::fstat(fd_.get(), &opened_) != 0) {
        fail(path_);
    }
}

std::size_t FileReader::read(char* data, std::size_t size)
{
    ssize_t count = 0;
    do {
        count = ::read(fd_.get(), data, size);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        fail(path_);
    }
    read_ += static_cast<std::uint64_t>(count);
    if (count == 0 && !is_as_it_was()) {
        throw Error{ErrorKind::Input, "cannot pack", path_.string(), "it changed meanwhile"};
    }
    return static_cast<std::size_t>(count);
}

bool FileReader::is_as_it_was() const
{
    struct stat now {};
    return ::fstat(fd_.get(), &now) == 0 && read_ == size_ && now.st_size == opened_.st_size &&
           now.st_mtim.tv_sec == opened_.st_mtim.tv_sec && now.st_mtim.tv_nsec == opened_.st_mtim.tv_nsec;
}

} // namespace dcmpipe::archive
