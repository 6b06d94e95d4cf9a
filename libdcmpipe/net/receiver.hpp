#pragma once

#include "core/event_loop.hpp"
#include "net/association.hpp"
#include "net/instance_store.hpp"
#include "net/listener.hpp"
#include "net/report.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include <sys/types.h>

namespace dcmpipe::net {

/// A Storage and Verification SCP that serves any number of associations at once, each in a process of its
/// own: what a peer sends is read there alone, so that one that is silent, slow or hostile can neither hold
/// up nor bring down the others. This process only waits, accepts, forks and passes on reports.
///
/// It lives in the caller's event loop and thread; the process must have no other thread, for it forks.
class Receiver {
public:
    struct Settings {
        std::string aet; ///< ours
        std::uint32_t max_pdu = default_max_pdu;
        Patience patience{};
        InstanceStore::Settings store;
        /// Called in each new process, to close what is not its own.
        std::function<void()> in_child{};
    };

    /// Told of each instance once it stands durably; the sender is told after that.
    using OnReport = std::function<void(const Report&)>;

    /// `loop` must outlive it.
    Receiver(EventLoop& loop, Listener listener, Settings settings, OnReport on_report);
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;
    /// Ends at once what still runs: an instance that is not whole is as if it never came.
    ~Receiver();

    const Listener& listener() const noexcept { return listener_; }

    /// The number of associations that run.
    std::size_t associations() const noexcept { return children_.size(); }

    /// While held, nothing is passed on, and senders wait for it. Accepting goes on.
    void hold_reports(bool hold);

    /// Accepts no more; each association ends after the instance it is receiving.
    void stop();

private:
    struct Child {
        pid_t pid;
        Fd reports;
        bool killed = false;
    };

    void listen(bool on);
    void stop_listening();
    void accept();
    void start(Listener::Connection connection);
    void enter_child(pid_t parent) noexcept;
    [[noreturn]] void serve(Listener::Connection connection, int reports) noexcept;
    void watch(int reports);
    void hear(int reports);
    void bury(int reports);

    EventLoop& loop_;
    Listener listener_;
    Settings settings_;
    OnReport on_report_;
    std::map<int, Child> children_; ///< by the descriptor of their reports
    bool held_ = false;
};

} // namespace dcmpipe::net
