#include "core/output_queue.hpp"

#include "core/error.hpp"

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace dcmpipe {

OutputQueue::OutputQueue(EventLoop& loop, int fd, std::string_view name) : loop_(loop), fd_(fd), name_(name)
{
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", name_);
    }
    socket_ = S_ISSOCK(status.st_mode);
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
        // Where it cannot be opened again, writes may wait for the reader; results still all arrive.
        const auto path = fmt::format("/proc/self/fd/{}", fd);
        own_ = Fd{::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    }
    watch();
}

OutputQueue::~OutputQueue()
{
    loop_.forget(fd());
}

/// Without anything to write, only a reader that goes away is of interest.
void OutputQueue::watch()
{
    loop_.watch(fd(), waiting_.empty() ? 0 : POLLOUT, [this] { on_ready(); });
}

void OutputQueue::push(std::string text)
{
    if (text.empty()) {
        return;
    }
    bytes_ += text.size();
    waiting_.push_back(std::move(text));
    if (waiting_.size() == 1 && !gone_) {
        watch();
    }
}

void OutputQueue::on_ready()
{
    pollfd polled{fd(), 0, 0};
    if (::poll(&polled, 1, 0) > 0 && (polled.revents & (POLLERR | POLLHUP)) != 0) {
        gone_ = true;
    } else {
        write_some();
    }
    if (gone_) {
        loop_.forget(fd());
    } else {
        watch();
    }
}

void OutputQueue::write_some()
{
    while (!waiting_.empty()) {
        const auto rest = std::string_view{waiting_.front()}.substr(written_);
        const auto count = socket_ ? ::send(fd(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                   : ::write(fd(), rest.data(), rest.size());
        if (count >= 0) {
            written_ += static_cast<std::size_t>(count);
            bytes_ -= static_cast<std::uint64_t>(count);
            if (written_ == waiting_.front().size()) {
                waiting_.pop_front();
                written_ = 0;
            }
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno == EPIPE) {
            gone_ = true;
            return;
        } else if (errno != EINTR) {
            throw Error::from_errno(ErrorKind::Output, "cannot write", name_);
        }
    }
}

} // namespace dcmpipe
