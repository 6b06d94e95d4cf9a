#include "net/store_folder.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>

namespace dcmpipe::net {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view lock_name = ".dpipe-receive.lock";

/// Made by a process that is no more.
bool is_leftover(std::string_view name)
{
    if (!name.starts_with(leftover_prefix) || !name.ends_with(".part")) {
        return false;
    }
    pid_t maker = 0;
    const auto digits = name.substr(leftover_prefix.size());
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), maker);
    return error == std::errc{} && *rest == '.' && maker > 0 && ::kill(maker, 0) != 0 && errno == ESRCH;
}

} // namespace

StoreFolder::StoreFolder(fs::path root) : root_(std::move(root))
{
    make_folders(root_.has_filename() ? root_ : root_.parent_path());
    const auto path = root_ / lock_name;
    lock_ = Fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640)};
    if (!lock_) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", path.string());
    }
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            throw Error{ErrorKind::Output, "cannot store in", root_.string(), "another receiver does"};
        }
        throw Error::from_errno(ErrorKind::Output, "cannot lock", path.string());
    }
}

std::size_t StoreFolder::sweep() const
{
    std::vector<fs::path> leftovers;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{root_, error}) {
        if (is_leftover(entry.path().filename().native()) && entry.is_regular_file(error)) {
            leftovers.push_back(entry.path());
        }
    }
    std::size_t removed = 0;
    for (const auto& path : leftovers) {
        removed += fs::remove(path, error) ? 1 : 0;
    }
    return removed;
}

} // namespace dcmpipe::net
