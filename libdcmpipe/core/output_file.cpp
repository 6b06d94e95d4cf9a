#include "core/output_file.hpp"

#include "core/error.hpp"

#include <atomic>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace dcmpipe {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(std::string_view doing, const fs::path& path)
{
    throw Error::from_errno(ErrorKind::Output, doing, path.string());
}

fs::path folder_of(const fs::path& path)
{
    return path.has_parent_path() ? path.parent_path() : fs::path{"."};
}

/// A name nobody else uses now: process and count within it.
fs::path hidden_name(const fs::path& path)
{
    static std::atomic<unsigned> count{0};
    return folder_of(path) / fmt::format(".{}.{}.{}.part", path.filename().string(), ::getpid(), ++count);
}

std::string proc_name(int fd)
{
    return fmt::format("/proc/self/fd/{}", fd);
}

/// Without /proc a file that has no name can be given none.
bool can_name_later()
{
    static const bool mounted = ::access("/proc/self/fd", F_OK) == 0;
    return mounted;
}

/// By the file itself where the kernel lets us (Linux 6.10, or root), or else through /proc.
bool link_fd(int fd, const fs::path& name)
{
    return ::linkat(fd, "", AT_FDCWD, name.c_str(), AT_EMPTY_PATH) == 0 ||
           (errno == ENOENT &&
            ::linkat(AT_FDCWD, proc_name(fd).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0);
}

/// False with EEXIST where the name is taken.
bool rename_to_free_name(const fs::path& from, const fs::path& to)
{
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return true;
    }
    // NFS has no such rename; a link does not replace either.
    return errno == EINVAL && ::link(from.c_str(), to.c_str()) == 0 && ::unlink(from.c_str()) == 0;
}

} // namespace

OutputFile::OutputFile(fs::path path, mode_t mode) : path_(std::move(path))
{
    const auto folder = folder_of(path_);
    const int flags = O_WRONLY | O_CLOEXEC;
    fd_ = Fd{::open(folder.c_str(), flags | O_TMPFILE, mode)};
    if (!fd_ && errno == ENOENT) {
        make_folders(folder);
        fd_ = Fd{::open(folder.c_str(), flags | O_TMPFILE, mode)};
    }
    if (fd_ && can_name_later()) {
        return;
    }
    if (!fd_ && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
        fail("cannot write", path_);
    }
    hidden_ = hidden_name(path_);
    fd_ = Fd{::open(hidden_.c_str(), flags | O_CREAT | O_EXCL, mode)};
    if (!fd_) {
        fail("cannot write", path_);
    }
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), hidden_(std::exchange(other.hidden_, {})), fd_(std::move(other.fd_))
{
}

OutputFile::~OutputFile()
{
    if (!hidden_.empty()) {
        ::unlink(hidden_.c_str());
    }
}

void OutputFile::write(std::string_view bytes)
{
    write_all(fd_.get(), bytes, path_);
}

void OutputFile::sync()
{
    if (::fdatasync(fd_.get()) != 0) {
        fail("cannot write", path_);
    }
}

bool OutputFile::appear(Existing existing)
{
    if (hidden_.empty()) {
        if (link_fd(fd_.get(), path_)) {
            return true;
        }
        if (errno != EEXIST) {
            fail("cannot name", path_);
        }
        if (existing == Existing::Keep) {
            return false;
        }
        hidden_ = hidden_name(path_);
        if (!link_fd(fd_.get(), hidden_)) {
            hidden_.clear();
            fail("cannot name", path_);
        }
    }
    const bool renamed = existing == Existing::Keep ? rename_to_free_name(hidden_, path_)
                                                    : ::rename(hidden_.c_str(), path_.c_str()) == 0;
    if (!renamed) {
        if (errno == EEXIST) {
            return false;
        }
        fail("cannot name", path_);
    }
    hidden_.clear();
    return true;
}

bool OutputFile::publish(Existing existing)
{
    sync();
    const bool appeared = appear(existing);
    sync_folder(folder_of(path_));
    return appeared;
}

namespace {

/// False where the folder around it is missing.
bool make_folder(const fs::path& folder)
{
    if (::mkdir(folder.c_str(), 0750) == 0) {
        sync_folder(folder_of(folder));
        return true;
    }
    if (errno == ENOENT) {
        return false;
    }
    if (errno != EEXIST || !fs::is_directory(folder)) {
        fail("cannot make the folder", folder);
    }
    return true;
}

} // namespace

void make_folders(const fs::path& folder)
{
    if (folder.empty() || make_folder(folder)) {
        return;
    }
    make_folders(folder_of(folder));
    // Still none: the folder around it takes none (/proc), or was itself deleted. Trying on would never end.
    if (!make_folder(folder)) {
        fail("cannot make the folder", folder);
    }
}

void sync_folder(const fs::path& folder)
{
    const Fd fd{::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd || ::fsync(fd.get()) != 0) {
        fail("cannot sync the folder", folder);
    }
}

void make_private_file(const fs::path& path)
{
    if (path.has_parent_path()) {
        make_folders(path.parent_path());
    }
    const Fd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!fd) {
        fail("cannot write", path);
    }
}

void write_all(int fd, std::string_view bytes, const fs::path& name)
{
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            fail("cannot write", name);
        }
        if (written > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
    }
}

void write_text_file(const fs::path& path, std::string_view text, mode_t mode)
{
    OutputFile file{path, mode};
    file.write(text);
    file.publish(Existing::Replace);
}

} // namespace dcmpipe
