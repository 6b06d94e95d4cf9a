#include "net/event_log.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utc_time.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

int descriptor_number(const std::string& text)
{
    int number = -1;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && rest == end ? number : -1;
}

} // namespace

EventLog::EventLog(std::filesystem::path target)
    : target_(std::move(target)), number_(descriptor_number(target_.native())), fd_(open())
{
}

/// A descriptor is opened once more where that can be, for its flags are shared with whoever gave it.
Fd EventLog::open() const
{
    const int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC;
    if (number_ < 0) {
        Fd fd{::open(target_.c_str(), flags | O_CREAT, 0640)};
        if (!fd) {
            throw Error::from_errno(ErrorKind::Output, "cannot write events to", target_.string());
        }
        return fd;
    }
    Fd fd{::open(fmt::format("/proc/self/fd/{}", number_).c_str(), flags)};
    if (!fd) { // a socket
        fd = Fd{::fcntl(number_, F_DUPFD_CLOEXEC, 0)};
        const int now = ::fcntl(fd.get(), F_GETFL);
        if (now < 0 || (now & O_ACCMODE) == O_RDONLY || ::fcntl(fd.get(), F_SETFL, now | O_NONBLOCK) != 0) {
            throw Error::from_errno(ErrorKind::Output, "cannot write events to descriptor", target_.string());
        }
    }
    return fd;
}

void EventLog::push(const Event& event)
{
    flush();
    auto line = event.json();
    if (kept_.size() + line.size() >= most_kept) {
        ++lost_;
        return;
    }
    kept_.append(line).push_back('\n');
    flush();
}

void EventLog::flush()
{
    while (!kept_.empty()) {
        const auto written = ::write(fd_.get(), kept_.data(), kept_.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            if (errno != EAGAIN && errno != EWOULDBLOCK && !std::exchange(failing_, true)) {
                log::error("cannot write events to '{}': {}", target_.string(), std::strerror(errno));
            }
            return;
        }
        failing_ = false;
        kept_.erase(0, static_cast<std::size_t>(written));
        if (kept_.empty() && lost_ > said_lost_) {
            kept_ = fmt::format(
                "{{\"event\":\"lost\",\"time\":\"{}\",\"count\":{}}}\n", utc_now(), lost_ - said_lost_);
            said_lost_ = lost_;
        }
    }
}

void EventLog::reopen()
{
    flush();
    if (number_ < 0) {
        fd_ = open();
    }
}

} // namespace dcmpipe::net
