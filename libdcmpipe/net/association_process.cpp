#include "net/association_process.hpp"

#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/uid.hpp"
#include "net/commitment_scp.hpp"
#include "net/storage_scp.hpp"

#include <cerrno>
#include <csignal>
#include <new>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool may_limit_memory = false; // the shadow of a sanitizer counts as data
#else
constexpr bool may_limit_memory = true;
#endif

/// Files may be that much longer than an instance: the header, and the log that is shared with the parent.
constexpr std::uint64_t beside_the_instance = 64U << 20U;

/// Who is turned away has that long to ask for it.
constexpr std::chrono::seconds patience_to_reject{5};

bool limit(__rlimit_resource_t resource, std::uint64_t value)
{
    rlimit now{};
    if (::getrlimit(resource, &now) != 0) {
        return false;
    }
    now.rlim_cur = std::min<rlim_t>(now.rlim_max, value);
    now.rlim_max = now.rlim_cur;
    return ::setrlimit(resource, &now) == 0;
}

/// One connection, from its first byte to its last.
class Service {
public:
    Service(
        Listener::Connection connection, int parent, const Receiver::Settings& settings,
        const std::optional<Rejection>& turned_away)
        : connection_(std::move(connection)), parent_(parent), settings_(settings), turned_away_(turned_away)
    {
    }

    void run()
    {
        try {
            talk();
            store_.reset(); // its studies are held no more
            commitment_->report_elsewhere();
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::Refused) {
                log::warning("{}", error.what());
            } else { // a port scan, a health check, an impatient peer
                log::info("{}", error.what());
                tell({.kind = EventKind::Failed, .reason = error.reason()});
            }
        }
    }

private:
    void talk()
    {
        auto association = accept();
        commitment_.emplace(commitment_settings(), [this](const CommitmentReport& report, bool delivered) {
            tell_committed(report, delivered);
        });
        serve(association);
    }

    Association accept()
    {
        auto patience = settings_.patience;
        if (turned_away_) {
            patience.association = std::min(patience.association, patience_to_reject);
        }
        std::unique_ptr<Transport> transport =
            std::make_unique<TcpTransport>(std::move(connection_.socket), connection_.peer);
        if (settings_.tls) {
            const auto until = Clock::now() + patience.association;
            transport = settings_.tls->accept(std::move(transport), until);
        }
        return Association::accept(
            std::move(transport),
            {.max_pdu = settings_.max_pdu,
             .patience = patience,
             .admit = [this](const Caller& caller) { return rejection_of(caller); },
             .choose = [this](const ProposedContext& offer) { return choose_storage_syntax(offer, policy_); },
             .extend = storage_information,
             .stop_waiting = stop::requested});
    }

    std::optional<Rejection> rejection_of(const Caller& caller)
    {
        about_.calling_aet = caller.calling_aet;
        about_.called_aet = caller.called_aet;
        auto rejection = decide(caller);
        if (rejection) {
            auto event = about_;
            event.kind = EventKind::Rejected;
            event.reason = rejection->text;
            event.limit = rejection->limit;
            tell(event);
        }
        return rejection;
    }

    std::optional<Rejection> decide(const Caller& caller)
    {
        if (turned_away_) {
            return turned_away_;
        }
        const auto address = ip_address(connection_.address);
        const auto rights = address && settings_.access
                                ? settings_.access->rights_of(caller.calling_aet, *address)
                                : std::nullopt;
        if (!rights) {
            return Rejection{
                .reason = RejectReason::CallingAet,
                .text = fmt::format("{} may not call from there", caller.calling_aet)};
        }
        if (settings_.called_aet_is_ours && caller.called_aet != settings_.aet) {
            return Rejection{
                .reason = RejectReason::CalledAet,
                .text = fmt::format("{} calls another AE title than ours", caller.calling_aet)};
        }
        if (settings_.users && !settings_.users->knows(caller.user, caller.passcode)) {
            return Rejection{
                .reason = RejectReason::NotAllowed,
                .text = fmt::format("{} does not say who its user is, or not truly", caller.calling_aet)};
        }
        if (auto rejection = open_store()) {
            return rejection;
        }
        policy_ = settings_.takes;
        policy_.may_store = policy_.may_store && rights->write;
        return ask_parent();
    }

    std::optional<Rejection> open_store()
    {
        try {
            const auto limit = store_.emplace(settings_.store).low_water();
            if (!limit.empty()) {
                return Rejection{
                    .reason = RejectReason::Congestion,
                    .text = fmt::format("too little room is left (--{})", limit),
                    .limit = std::string{limit}};
            }
            return std::nullopt;
        } catch (const Error& error) {
            return Rejection{.reason = RejectReason::Congestion, .text = error.what()};
        }
    }

    /// Only the parent knows how many associations an AE title has.
    std::optional<Rejection> ask_parent()
    {
        auto event = about_;
        event.kind = EventKind::Opened;
        tell(event);
        char verdict = 0;
        while (::recv(parent_, &verdict, 1, 0) < 0 && errno == EINTR) {
        }
        if (verdict == may_open) {
            return std::nullopt;
        }
        return Rejection{
            .reason = RejectReason::LimitReached,
            .text = fmt::format("{} has too many associations (--max-per-aet)", about_.calling_aet),
            .limit = "max-per-aet"};
    }

    /// Until the association is over, however it ends.
    void serve(Association& association)
    {
        StorageScp scp{*store_, settings_.aet, [this](const StoredInstance& instance) {
                           auto event = about_;
                           event.kind = EventKind::Stored;
                           event.instance = instance;
                           tell(event);
                       }};
        scp.on_refused([this](const AnnouncedInstance& announced, const StoreOutcome& outcome) {
            tell_refused(announced, outcome);
        });
        scp.take_only([this](std::string_view uid) { return policy_.takes_class(uid); });
        scp.take_at_most(settings_.limits.instances);
        scp.commit_by(*commitment_);
        auto closed = about_;
        closed.kind = EventKind::Closed;
        const auto who = fmt::format("{} at {}", association.calling_aet(), association.peer());
        log::debug("{} is connected", who);
        try {
            scp.serve(association);
            closed.released = true;
        } catch (const Error& error) {
            closed.reason = error.reason();
            if (error.kind() == ErrorKind::Peer) {
                log::warning("{}: {}", association.calling_aet(), error.what());
            } else if (error.kind() != ErrorKind::Cancelled) {
                log::error("{}: {}", who, error.what());
            }
            association.abort();
        }
        closed.stored = scp.stored();
        closed.refused = scp.refused();
        log::debug("{} is done: {} stored, {} refused", who, scp.stored(), scp.refused());
        tell(closed);
    }

    CommitmentScp::Settings commitment_settings() const
    {
        return {
            .root = settings_.store.root,
            .layout = settings_.store.layout,
            .aet = settings_.aet,
            .patience = settings_.patience,
            .node =
                [this] { return settings_.node_of ? settings_.node_of(about_.calling_aet) : std::nullopt; },
            .connect =
                [this](const Node& node) {
                    return connect(
                        node, settings_.tls_out.get(), Clock::now() + settings_.patience.association);
                }};
    }

    void tell_committed(const CommitmentReport& report, bool delivered)
    {
        auto event = about_;
        event.kind = EventKind::Committed;
        event.released = delivered;
        event.stored = report.committed.size();
        event.refused = report.failed.size();
        tell(event);
        if (!delivered) {
            log::warning("{} did not hear what became of its request for commitment", about_.calling_aet);
        }
    }

    void tell_refused(const AnnouncedInstance& announced, const StoreOutcome& outcome)
    {
        auto event = about_;
        event.kind = EventKind::Refused;
        event.status = outcome.status;
        event.reason = outcome.reason;
        event.limit = outcome.limit;
        const auto valid = [](const std::string& uid) { return dicom::uid::is_valid(uid) ? uid : ""; };
        event.instance.sop_class_uid = valid(announced.sop_class_uid);
        event.instance.instance_uid = valid(announced.instance_uid);
        tell(event);
    }

    /// Blocks until the parent has room for it: a slow reader of results slows the senders down, not the
    /// parent.
    void tell(const Event& event) const
    {
        const auto datagram = event.encode();
        while (::send(parent_, datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0) {
            if (errno != EINTR) {
                throw Error::from_errno(ErrorKind::Internal, "cannot report to", "the parent process");
            }
        }
    }

    Listener::Connection connection_;
    int parent_;
    const Receiver::Settings& settings_;
    const std::optional<Rejection>& turned_away_;
    std::optional<InstanceStore> store_{}; ///< once somebody is let in
    std::optional<CommitmentScp> commitment_{};
    StoragePolicy policy_{};
    Event about_{};
};

} // namespace

void confine_process(pid_t parent, const Receiver::Settings& settings) noexcept
{
    // A core file would hold what patients' devices sent.
    bool confined = ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent && limit(RLIMIT_CORE, 0);
    ::signal(SIGXFSZ, SIG_IGN); // writing past a limit, ours or the administrator's, fails instead
    if (const auto most = settings.store.most_bytes; most != 0) {
        confined = confined && limit(RLIMIT_FSIZE, most + beside_the_instance);
    }
    if (may_limit_memory && settings.limits.memory != 0) {
        confined = confined && limit(RLIMIT_DATA, settings.limits.memory);
    }
    if (!confined) {
        ::_exit(1);
    }
}

void serve_in_process(
    Listener::Connection connection, int parent, const Receiver::Settings& settings,
    const std::optional<Rejection>& turned_away) noexcept
{
    try {
        Service{std::move(connection), parent, settings, turned_away}.run();
    } catch (const std::bad_alloc&) {
        log::error("an association needed more memory than it may have (--max-memory)");
        ::_exit(1);
    } catch (const std::exception& error) {
        log::error("internal error: {}", error.what());
        ::_exit(1);
    }
    ::_exit(0);
}

} // namespace dcmpipe::net
