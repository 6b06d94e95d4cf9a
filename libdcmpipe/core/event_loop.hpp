#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace dcmpipe {

/// Waits on file descriptors and calls who asked for them, one after the other. For one thread; a callback
/// may watch and forget descriptors, its own among them.
class EventLoop {
public:
    using Callback = std::function<void()>;

    /// Calls `ready` when poll() has one of `events` for `fd`, or when its other end is gone: with 0 for
    /// `events` only then. The descriptor stays the caller's. One watch a descriptor.
    void watch(int fd, short events, Callback ready);

    void forget(int fd);

    /// Waits until something is ready, `at_most` has passed, or a signal came; calls what is ready.
    void run_once(std::chrono::milliseconds at_most);

private:
    struct Watch {
        int fd;
        short events;
        std::shared_ptr<const Callback> ready; ///< shared: it may be forgotten while it runs
    };

    std::vector<Watch> watches_;
};

} // namespace dcmpipe
