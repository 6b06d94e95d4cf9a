#include "net/receiver.hpp"

#include "core/log.hpp"
#include "core/stop.hpp"
#include "net/storage_contexts.hpp"
#include "net/storage_scp.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

/// Blocks until the parent has taken it: a slow reader of results slows the senders down, not the parent.
void tell(int fd, const Report& report)
{
    const auto datagram = report.encode();
    while (::send(fd, datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            throw Error::from_errno(ErrorKind::Internal, "cannot report to", "the parent process");
        }
    }
}

/// Serves until the association is over, however it ends.
void serve_to_the_end(StorageScp& scp, Association& association)
{
    const auto who = fmt::format("{} at {}", association.calling_aet(), association.peer());
    log::debug("{} is connected", who);
    try {
        scp.serve(association);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::Peer) {
            log::warning("{}: {}", association.calling_aet(), error.what());
        } else if (error.kind() != ErrorKind::Cancelled) {
            log::error("{}: {}", who, error.what());
        }
        association.abort();
    }
    log::debug("{} is done: {} stored, {} refused", who, scp.stored(), scp.refused());
}

} // namespace

Receiver::Receiver(EventLoop& loop, Listener listener, Settings settings, OnReport on_report)
    : loop_(loop), listener_(std::move(listener)), settings_(std::move(settings)),
      on_report_(std::move(on_report))
{
    const InstanceStore root_is_there{settings_.store};
    listen(true);
}

Receiver::~Receiver()
{
    stop_listening();
    for (auto& [fd, child] : children_) {
        ::kill(child.pid, SIGKILL);
        child.killed = true;
    }
    while (!children_.empty()) {
        bury(children_.begin()->first);
    }
}

void Receiver::listen(bool on)
{
    if (on) {
        loop_.watch(listener_.fd(), POLLIN, [this] { accept(); });
    } else {
        loop_.forget(listener_.fd());
    }
}

void Receiver::accept()
{
    try {
        while (auto connection = listener_.accept()) {
            start(std::move(*connection));
        }
    } catch (const Error& error) {
        log::error("{}", error.what());
        // Who waits stays in the queue until an association ends and makes room.
        if (!children_.empty()) {
            listen(false);
        } else {
            constexpr timespec a_moment{0, 100'000'000};
            ::nanosleep(&a_moment, nullptr);
        }
    }
}

void Receiver::start(Listener::Connection connection)
{
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot serve", connection.peer);
    }
    Fd ours{pair[0]};
    Fd theirs{pair[1]};
    const auto parent = ::getpid();
    const auto pid = ::fork();
    if (pid < 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot serve", connection.peer);
    }
    if (pid == 0) {
        ours.reset();
        enter_child(parent);
        serve(std::move(connection), theirs.get());
    }
    const int fd = ours.get();
    children_.insert_or_assign(fd, Child{.pid = pid, .reports = std::move(ours)});
    watch(fd);
}

/// What makes a new process fit to meet a peer.
void Receiver::enter_child(pid_t parent) noexcept
{
    const rlimit no_core{0, 0}; // a core file would hold what patients' devices sent
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent ||
        ::setrlimit(RLIMIT_CORE, &no_core) != 0) {
        ::_exit(1);
    }
    stop::install_in_child();
    listener_.close();
    for (auto& [fd, child] : children_) {
        child.reports.reset();
    }
    if (settings_.in_child) {
        settings_.in_child();
    }
}

/// In the new process. It runs no destructor of the parent's objects.
void Receiver::serve(Listener::Connection connection, int reports) noexcept
{
    try {
        auto association = Association::accept(
            std::make_unique<TcpTransport>(std::move(connection.socket), connection.peer),
            {.max_pdu = settings_.max_pdu,
             .patience = settings_.patience,
             .choose = choose_storage_syntax,
             .stop_waiting = stop::requested});
        InstanceStore store{settings_.store};
        StorageScp scp{store, settings_.aet, [&](const StoredInstance& instance) {
                           tell(reports, {instance, association.calling_aet()});
                       }};
        serve_to_the_end(scp, association);
    } catch (const Error& error) {
        log::info("{}", error.what()); // no association: a port scan, a health check, an impatient peer
    } catch (const std::exception& error) {
        log::error("internal error: {}", error.what());
        ::_exit(1);
    }
    ::_exit(0);
}

void Receiver::watch(int reports)
{
    loop_.watch(reports, POLLIN, [this, reports] { hear(reports); });
}

void Receiver::hear(int reports)
{
    std::array<char, Report::longest> datagram;
    while (!held_) {
        const auto size = ::recv(reports, datagram.data(), datagram.size(), MSG_DONTWAIT);
        if (size > 0) {
            if (const auto report = Report::decode({datagram.data(), static_cast<std::size_t>(size)})) {
                on_report_(*report);
            }
        } else if (size == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) {
            return bury(reports);
        } else if (errno != EINTR) {
            return;
        }
    }
}

/// The child has closed its end: it has ended, or is about to.
void Receiver::bury(int reports)
{
    const auto child = children_.find(reports);
    loop_.forget(reports);
    int result = 0;
    while (::waitpid(child->second.pid, &result, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(result) && !child->second.killed) {
        log::error("the process of an association died by signal {}", WTERMSIG(result));
    }
    children_.erase(child);
    if (listener_.fd() >= 0) {
        listen(true);
    }
}

void Receiver::hold_reports(bool hold)
{
    if (hold == held_) {
        return;
    }
    held_ = hold;
    for (const auto& [fd, child] : children_) {
        if (hold) {
            loop_.forget(fd);
        } else {
            watch(fd);
        }
    }
}

void Receiver::stop_listening()
{
    if (listener_.fd() >= 0) {
        listen(false);
        listener_.close();
    }
}

void Receiver::stop()
{
    stop_listening();
    for (const auto& [fd, child] : children_) {
        ::kill(child.pid, SIGTERM);
    }
}

} // namespace dcmpipe::net
