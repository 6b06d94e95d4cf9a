#include "upload/parcel.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace dcmpipe::upload {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

[[noreturn]] void fail(const fs::path& path)
{
    throw Error::from_errno(ErrorKind::Input, "cannot read", path.string());
}

/// On a file system without locks two uploads of one file are only less likely, not prevented.
void lock(int fd)
{
    while (::flock(fd, LOCK_EX) != 0 && errno == EINTR) {
        if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopped while waiting for another upload"};
        }
    }
}

} // namespace

Parcel Parcel::open(const fs::path& path)
{
    Parcel parcel;
    parcel.path_ = path;
    parcel.fd_ = Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!parcel.fd_) {
        fail(path);
    }
    lock(parcel.fd_.get());
    if (::fstat(parcel.fd_.get(), &parcel.opened_) != 0) {
        fail(path);
    }
    if (!S_ISREG(parcel.opened_.st_mode)) {
        const bool is_folder = S_ISDIR(parcel.opened_.st_mode);
        throw Error{
            ErrorKind::Input, "cannot upload", path.string(),
            is_folder ? "a folder: dpipe-zip packs it first" : "not a regular file"};
    }
    return parcel;
}

void Parcel::rewind()
{
    at_ = 0;
    ahead_.reset();
    ahead_ = std::make_unique<ReadAhead>(fd(), size(), path_);
    sha256_.clear();
}

void Parcel::require_whole()
{
    while (check_ && !check_(50ms)) {
        if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopped while a ZIP was checked"};
        }
    }
}

std::size_t Parcel::read(char* buffer, std::size_t count)
{
    const auto left = size() - at_;
    if (left == 0) {
        return 0;
    }
    if (left <= count) {
        require_whole();
    } else if (check_) {
        check_(0ms); // what is known to be damaged goes no further
    }
    const auto read = ahead_->take(buffer, count);
    at_ += read;
    if (at_ == size()) {
        sha256_ = ahead_->sha256();
    }
    return read;
}

const std::string& Parcel::sha256()
{
    if (sha256_.empty()) {
        sha256_ = sha256_of(fd(), path_);
    }
    return sha256_;
}

void Parcel::check_unchanged() const
{
    struct stat named {};
    if (::stat(path_.c_str(), &named) != 0) {
        fail(path_);
    }
    const bool same_file = named.st_dev == opened_.st_dev && named.st_ino == opened_.st_ino;
    const bool same_bytes = named.st_size == opened_.st_size &&
                            named.st_mtim.tv_sec == opened_.st_mtim.tv_sec &&
                            named.st_mtim.tv_nsec == opened_.st_mtim.tv_nsec;
    if (!same_file || !same_bytes) {
        throw Error{ErrorKind::Input, "cannot upload", path_.string(), "it changed meanwhile"};
    }
}

void Parcel::remove() const
{
    check_unchanged();
    if (::unlink(path_.c_str()) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot remove", path_.string());
    }
    sync_folder(path_.parent_path());
}

} // namespace dcmpipe::upload
