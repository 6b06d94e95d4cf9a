#include "upload/parcel.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace dcmpipe::upload {

namespace fs = std::filesystem;

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

/// sha256_of(), but gives up where nobody waits for it any more.
std::string digest_of(int fd, const fs::path& path, const std::atomic<bool>& abandoned)
{
    Sha256 digest;
    std::string block(256 * 1024, '\0');
    for (off_t offset = 0; !abandoned;) {
        const auto count = ::pread(fd, block.data(), block.size(), offset);
        if (count < 0 && errno != EINTR) {
            fail(path);
        }
        if (count == 0) {
            return digest.hex();
        }
        if (count > 0) {
            digest.add({block.data(), static_cast<std::size_t>(count)});
            offset += count;
        }
    }
    return {};
}

} // namespace

/// Where an upload was given up, nobody waits for the digest of a large file.
Parcel::~Parcel()
{
    if (abandoned_) {
        *abandoned_ = true;
    }
}

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

void Parcel::begin_digest()
{
    if (sha256_.empty() && !digest_.valid()) {
        digest_ = std::async(std::launch::async, [fd = fd_.get(), path = path_, abandoned = abandoned_] {
            return digest_of(fd, path, *abandoned);
        });
    }
}

const std::string& Parcel::sha256()
{
    if (sha256_.empty()) {
        begin_digest();
        sha256_ = digest_.get();
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
