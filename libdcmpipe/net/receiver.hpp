#pragma once

#include "core/event_loop.hpp"
#include "net/access.hpp"
#include "net/association.hpp"
#include "net/event.hpp"
#include "net/instance_store.hpp"
#include "net/listener.hpp"
#include "net/node.hpp"
#include "net/report.hpp"
#include "net/storage_contexts.hpp"
#include "net/tls.hpp"
#include "net/users.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

namespace dcmpipe::net {

/// How much one receiver does at once. 0 is no limit.
struct Limits {
    std::size_t associations = 256;
    std::size_t per_address = 128; ///< associations from one address
    std::size_t per_aet = 0;       ///< associations of one calling AE title
    std::uint64_t instances = 0;   ///< C-STORE requests on one association
    std::uint64_t memory = 0;      ///< bytes of data (RLIMIT_DATA) in the process of an association
};

/// A Storage and Verification SCP that serves any number of associations at once, each in a process of its
/// own: what a peer sends is read there alone, so that one that is silent, slow or hostile can neither hold
/// up nor bring down the others. This process only waits, accepts, forks and passes on events.
///
/// Who is not let in is told so, by a process as well; past a few of those at once connections are closed
/// without a word, so that those who may not call take nothing from those who may.
///
/// What is left to report on storage commitment, by a receiver that was killed or for a peer that is away,
/// one more process takes up.
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
        bool called_aet_is_ours = false; ///< reject who calls another title than `aet`
        /// Who may call; absent: nobody, until there is a list again.
        std::optional<AccessList> access{std::in_place};
        std::optional<Users> users{}; ///< where there are any, a caller must be one of them
        StoragePolicy takes{};
        Limits limits{};
        std::shared_ptr<const TlsContext> tls{};     ///< without it associations are in clear
        std::shared_ptr<const TlsContext> tls_out{}; ///< for those that we make: reports of commitment
        /// Where the peer with this AE title listens; asked in other processes when there is something to
        /// report on storage commitment. Without it only the association that asked hears of it.
        std::function<std::optional<Node>(std::string_view)> node_of{};
        /// Told of all that happens, in the order in which it is heard.
        std::function<void(const Event&)> on_event{};
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

    /// Who may call from now on; what runs goes on.
    void set_access(std::optional<AccessList> access) { settings_.access = std::move(access); }

    /// Which users there are from now on.
    void set_users(std::optional<Users> users) { settings_.users = std::move(users); }

    /// With what connections are encrypted from now on.
    void set_tls(std::shared_ptr<const TlsContext> tls, std::shared_ptr<const TlsContext> out = nullptr)
    {
        settings_.tls = std::move(tls);
        settings_.tls_out = std::move(out);
        renew_reporter();
    }

    /// While held, nothing is passed on, and senders wait for it. Accepting goes on.
    void hold_reports(bool hold);

    /// Accepts no more; each association ends after the instance it is receiving.
    void stop();

private:
    struct Child {
        pid_t pid = 0;
        Fd reports;
        Event about; ///< number, peer and titles, for its events
        std::string address;
        bool turned_away = false;
        bool open = false;     ///< between the events Opened and Closed
        bool closed = false;   ///< after it: it may still report elsewhere, and takes nobody's place
        bool reporter = false; ///< it has no association, only reports of storage commitment
        TimePoint since = Clock::now();
        bool killed = false;
    };

    void listen(bool on);
    void stop_listening();
    void accept();
    std::optional<Rejection> turned_away(const std::string& address) const;
    void start(Listener::Connection connection, const std::optional<Rejection>& turned_away);
    bool too_many_turned_away() const;
    template <class Work>
    void start_process(Child about, const std::string& subject, const Work& work);
    bool more_is_left_by(const Child& child, int result) const;
    void report_what_is_left() noexcept;
    void renew_reporter();
    void enter_child(pid_t parent) noexcept;
    void watch(int reports);
    void hear(int reports);
    void hear_all();
    void take(Child& child, Event event);
    void let_in(Child& child, Event event);
    void let_go(Child& child);
    void tell(const Event& event);
    void bury(int reports);

    EventLoop& loop_;
    Listener listener_;
    Settings settings_;
    OnReport on_report_;
    std::map<int, Child> children_; ///< by the descriptor of their reports
    std::uint64_t connections_ = 0; ///< since it started
    bool more_is_left_ = false;     ///< to report, since the process for that began
    bool held_ = false;
};

} // namespace dcmpipe::net
