#include "net/receiver.hpp"

#include "core/log.hpp"
#include "core/stop.hpp"
#include "net/association_process.hpp"
#include "net/commitment_process.hpp"
#include "net/commitment_queue.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

/// Processes that turn a peer away with an answer; more at once are not spent on that.
constexpr std::ptrdiff_t most_turned_away = 32;

/// Processes whose association is over and that still try to report; of more the latest give up.
constexpr std::ptrdiff_t most_closed = 64;

constexpr std::chrono::seconds least_life{5};

bool reached(std::ptrdiff_t count, std::size_t limit)
{
    return limit != 0 && static_cast<std::size_t>(count) >= limit;
}

} // namespace

Receiver::Receiver(EventLoop& loop, Listener listener, Settings settings, OnReport on_report)
    : loop_(loop), listener_(std::move(listener)), settings_(std::move(settings)),
      on_report_(std::move(on_report))
{
    const InstanceStore root_is_there{settings_.store};
    listen(true);
    report_what_is_left();
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
            ++connections_;
            auto rejection = turned_away(connection->address);
            if (rejection && !rejection->limit.empty()) {
                hear_all(); // some that count may be over: the news waits beside this connection
                rejection = turned_away(connection->address);
            }
            if (!rejection || !too_many_turned_away()) {
                start(std::move(*connection), rejection);
            } else {
                log::warning("hung up on {}: {}", connection->peer, rejection->text);
                tell(
                    {.kind = EventKind::Rejected,
                     .association = connections_,
                     .peer = connection->peer,
                     .reason = rejection->text,
                     .limit = rejection->limit});
            }
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

/// Nothing where a connection from this address is served.
std::optional<Rejection> Receiver::turned_away(const std::string& address) const
{
    if (!settings_.access) {
        return Rejection{RejectReason::Congestion, "the nodes file cannot be read, nobody is let in"};
    }
    const auto numbers = ip_address(address);
    if (!numbers || !settings_.access->admits(*numbers)) {
        return Rejection{RejectReason::NotAllowed, "nobody may call from its address"};
    }
    const auto& limits = settings_.limits;
    const auto served = [](const auto& child) { return !child.second.turned_away && !child.second.closed; };
    if (reached(std::count_if(children_.begin(), children_.end(), served), limits.associations)) {
        return Rejection{
            RejectReason::LimitReached, "too many associations (--max-associations)", "max-associations"};
    }
    const auto from_there = [&](const auto& child) {
        return served(child) && child.second.address == address;
    };
    if (reached(std::count_if(children_.begin(), children_.end(), from_there), limits.per_address)) {
        return Rejection{
            RejectReason::LimitReached, "too many associations from its address (--max-per-address)",
            "max-per-address"};
    }
    return std::nullopt;
}

bool Receiver::too_many_turned_away() const
{
    return std::count_if(children_.begin(), children_.end(), [](const auto& child) {
               return child.second.turned_away;
           }) >= most_turned_away;
}

void Receiver::start(Listener::Connection connection, const std::optional<Rejection>& turned_away)
{
    start_process(
        {.about = {.association = connections_, .peer = connection.peer},
         .address = connection.address,
         .turned_away = turned_away.has_value()},
        connection.peer,
        [&](int parent) { serve_in_process(std::move(connection), parent, settings_, turned_away); });
}

/// One such process at a time, while there is something for it.
void Receiver::report_what_is_left() noexcept
try {
    if (listener_.fd() < 0 || !settings_.node_of || CommitmentQueue{settings_.store.root}.empty()) {
        return;
    }
    const auto is_reporter = [](const auto& child) { return child.second.reporter; };
    if (std::any_of(children_.begin(), children_.end(), is_reporter)) {
        more_is_left_ = true;
        return;
    }
    more_is_left_ = false;
    start_process({.closed = true, .reporter = true}, "storage commitment", [this](int parent) {
        report_in_process(parent, settings_);
    });
} catch (const Error& error) {
    log::error("{}", error.what());
}

/// It goes on with the certificates and keys that hold now.
void Receiver::renew_reporter()
{
    for (const auto& [fd, child] : children_) {
        if (child.reporter) {
            ::kill(child.pid, SIGTERM);
            more_is_left_ = true;
        }
    }
}

/// `work` is given a socket to this process, and does not return.
template <class Work>
void Receiver::start_process(Child about, const std::string& subject, const Work& work)
{
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot serve", subject);
    }
    Fd ours{pair[0]};
    Fd theirs{pair[1]};
    const auto parent = ::getpid();
    const auto pid = ::fork();
    if (pid < 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot serve", subject);
    }
    if (pid == 0) {
        ours.reset();
        enter_child(parent);
        work(theirs.get());
    }
    const int fd = ours.get();
    about.pid = pid;
    about.reports = std::move(ours);
    children_.insert_or_assign(fd, std::move(about));
    watch(fd);
}

/// What makes a new process fit to meet a peer. It runs no destructor of the parent's objects.
void Receiver::enter_child(pid_t parent) noexcept
{
    confine_process(parent, settings_);
    stop::install_in_child();
    listener_.close();
    for (auto& [fd, child] : children_) {
        child.reports.reset();
    }
    if (settings_.in_child) {
        settings_.in_child();
    }
}

void Receiver::watch(int reports)
{
    loop_.watch(reports, POLLIN, [this, reports] { hear(reports); });
}

void Receiver::hear(int reports)
{
    std::array<char, Event::longest> datagram;
    auto& child = children_.at(reports);
    while (!held_ || !child.open) {
        const auto size = ::recv(reports, datagram.data(), datagram.size(), MSG_DONTWAIT);
        if (size > 0) {
            if (auto event = Event::decode({datagram.data(), static_cast<std::size_t>(size)})) {
                take(child, std::move(*event));
            }
        } else if (size == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) {
            return bury(reports);
        } else if (errno != EINTR) {
            return;
        }
    }
    loop_.forget(reports); // it has just been opened, while reports are held
}

void Receiver::hear_all()
{
    std::vector<int> all;
    for (const auto& [reports, child] : children_) {
        all.push_back(reports);
    }
    for (const auto reports : all) {
        hear(reports);
    }
}

void Receiver::take(Child& child, Event event)
{
    event.association = child.about.association;
    event.peer = child.about.peer;
    if (event.kind == EventKind::Opened) {
        return let_in(child, std::move(event));
    }
    if (event.kind == EventKind::Closed) {
        let_go(child);
    }
    tell(event);
    if (event.kind == EventKind::Stored) {
        on_report_({std::move(event.instance), std::move(event.calling_aet)});
    }
}

void Receiver::let_go(Child& child)
{
    child.open = false;
    child.closed = true;
    const auto left = std::count_if(
        children_.begin(), children_.end(), [](const auto& other) { return other.second.closed; });
    if (left > most_closed) {
        ::kill(child.pid, SIGTERM);
    }
}

void Receiver::let_in(Child& child, Event event)
{
    const auto same = std::count_if(children_.begin(), children_.end(), [&](const auto& other) {
        return other.second.open && other.second.about.calling_aet == event.calling_aet;
    });
    const bool too_many = reached(same, settings_.limits.per_aet);
    const char verdict = too_many ? 'n' : may_open;
    if (::send(child.reports.get(), &verdict, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 && !too_many) {
        child.open = true;
        child.about = event;
        tell(event);
    }
}

void Receiver::tell(const Event& event)
{
    if (settings_.on_event) {
        settings_.on_event(event);
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
    if (child->second.open) {
        auto event = child->second.about;
        event.kind = EventKind::Closed;
        event.reason = "its process died";
        tell(event);
    }
    const bool more = more_is_left_by(child->second, result);
    children_.erase(child);
    if (listener_.fd() >= 0) {
        listen(true);
    }
    if (more) {
        report_what_is_left();
    }
}

/// Whether there may be something to report, now that this process has ended.
bool Receiver::more_is_left_by(const Child& child, int result) const
{
    if (!child.reporter) {
        return result != 0; // it says so, or was killed
    }
    // A reporter that something kills is started again, but not one that fails at once, over and over.
    return more_is_left_ || (result != 0 && Clock::now() - child.since > least_life);
}

void Receiver::hold_reports(bool hold)
{
    if (hold == held_) {
        return;
    }
    held_ = hold;
    for (const auto& [fd, child] : children_) {
        if (!hold) {
            watch(fd);
        } else if (child.open) { // the others ask whether they may open
            loop_.forget(fd);
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
