#include "core/event_loop.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>

namespace dcmpipe {

void EventLoop::watch(int fd, short events, Callback ready)
{
    forget(fd);
    watches_.push_back({fd, events, std::make_shared<const Callback>(std::move(ready))});
}

void EventLoop::forget(int fd)
{
    std::erase_if(watches_, [fd](const Watch& watch) { return watch.fd == fd; });
}

void EventLoop::run_once(std::chrono::milliseconds at_most)
{
    std::vector<pollfd> polled;
    polled.reserve(watches_.size());
    for (const auto& watch : watches_) {
        polled.push_back({watch.fd, watch.events, 0});
    }
    if (::poll(polled.data(), polled.size(), static_cast<int>(at_most.count())) < 0) {
        if (errno != EINTR) {
            throw Error::from_errno(ErrorKind::Internal, "cannot wait for", "events");
        }
        return;
    }
    std::vector<std::shared_ptr<const Callback>> ready;
    for (std::size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].revents != 0) {
            ready.push_back(watches_[i].ready);
        }
    }
    for (const auto& call : ready) {
        // An earlier callback may have forgotten it, or closed it and watched another of its number.
        const auto still = std::any_of(
            watches_.begin(), watches_.end(), [&call](const Watch& w) { return w.ready == call; });
        if (still) {
            (*call)();
        }
    }
}

} // namespace dcmpipe
