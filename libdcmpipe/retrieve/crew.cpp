#include "retrieve/crew.hpp"

#include "core/log.hpp"
#include "core/output_file.hpp"
#include "core/stop.hpp"
#include "retrieve/series_json.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dcmpipe::retrieve {

namespace {

Crew::Outcome outcome_of(Worker& worker, const FoundSeries& series, const OnStored& on_stored)
{
    Crew::Outcome outcome;
    try {
        outcome.fetched = worker.work(series, on_stored);
    } catch (const Error& error) {
        outcome.error = error;
    }
    outcome.reached = worker.reached();
    return outcome;
}

/// Reads from the socket into `unread`; false at its end.
bool fill(int socket, std::string& unread)
{
    std::array<char, 65536> bytes;
    ssize_t got = 0;
    do {
        got = ::read(socket, bytes.data(), bytes.size());
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        unread.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return got > 0;
}

std::optional<std::string> line_of(std::string& unread)
{
    const auto end = unread.find('\n');
    if (end == unread.npos) {
        return std::nullopt;
    }
    auto line = unread.substr(0, end);
    unread.erase(0, end + 1);
    return line;
}

/// In a process of its own: a line in is a series, lines out are instances that came, and how it ended.
void serve(int socket, Worker& worker)
{
    std::string unread;
    const auto tell = [&](const std::string& line) { write_all(socket, line + "\n", "the parent process"); };
    while (fill(socket, unread)) {
        while (const auto line = line_of(unread)) {
            const auto series = series_from_json(*line);
            tell(json_of(outcome_of(
                worker, series, [&](const net::StoredInstance& instance) { tell(json_of(instance)); })));
        }
    }
    worker.release();
}

} // namespace

Crew::Crew(unsigned processes, const MakeWorker& make, OnStored on_stored) : on_stored_(std::move(on_stored))
{
    if (processes == 0) {
        alone_ = make();
        return;
    }
    for (unsigned i = 0; i < processes; ++i) {
        start(make);
    }
}

Crew::~Crew()
{
    for (const auto& process : processes_) {
        ::kill(process.pid, SIGKILL);
        ::waitpid(process.pid, nullptr, 0);
    }
}

void Crew::start(const MakeWorker& make)
{
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot make", "a pair of sockets");
    }
    Fd ours{ends[0]};
    Fd theirs{ends[1]};
    const auto parent = ::getpid();
    const auto pid = ::fork();
    if (pid < 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot start", "a process");
    }
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {
            ::_exit(1);
        }
        stop::install_in_child();
        ours = Fd{};
        for (auto& process : processes_) { // an elder one's end is seen by the parent alone
            process.socket = Fd{};
        }
        int code = 0;
        try {
            const auto worker = make();
            serve(theirs.get(), *worker);
        } catch (const Error& error) {
            log::error("{}", error.what());
            code = 1;
        }
        ::_exit(code);
    }
    processes_.push_back({.pid = pid, .socket = std::move(ours)});
}

void Crew::submit(const FoundSeries& series, OnDone on_done)
{
    if (alone_) {
        on_done(outcome_of(*alone_, series, on_stored_));
        return;
    }
    const auto is_free = [](const Process& process) { return !process.on_done && process.socket; };
    auto free = std::find_if(processes_.begin(), processes_.end(), is_free);
    while (free == processes_.end()) {
        wait();
        if (std::none_of(
                processes_.begin(), processes_.end(), [](const Process& p) { return bool{p.socket}; })) {
            throw Error{ErrorKind::Internal, "every worker ended"};
        }
        free = std::find_if(processes_.begin(), processes_.end(), is_free);
    }
    free->on_done = std::move(on_done);
    write_all(free->socket.get(), json_of(series) + "\n", "a worker");
}

/// Takes what workers tell, once there is something.
void Crew::wait()
{
    std::vector<pollfd> polled;
    for (const auto& process : processes_) {
        polled.push_back({process.on_done ? process.socket.get() : -1, POLLIN, 0});
    }
    if (::poll(polled.data(), polled.size(), -1) < 0) {
        return; // a signal
    }
    for (std::size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].revents != 0) {
            hear(processes_[i]);
        }
    }
}

void Crew::hear(Process& process)
{
    const bool lives = fill(process.socket.get(), process.unread);
    while (const auto line = line_of(process.unread)) {
        if (const auto instance = instance_from_json(*line)) {
            on_stored_(*instance);
        } else {
            std::exchange(process.on_done, nullptr)(outcome_from_json(*line));
        }
    }
    if (!lives) {
        process.socket = Fd{};
        if (process.on_done) {
            std::exchange(process.on_done, nullptr)(
                {.error = Error{ErrorKind::Internal, "the process that worked on it ended"}});
        }
    }
}

bool Crew::is_idle() const
{
    return std::none_of(
        processes_.begin(), processes_.end(), [](const Process& process) { return bool{process.on_done}; });
}

void Crew::finish()
{
    while (!is_idle()) {
        wait();
    }
}

void Crew::release()
{
    if (alone_) {
        alone_->release();
    }
    for (auto& process : processes_) {
        process.socket = Fd{};
    }
    for (const auto& process : processes_) {
        while (::waitpid(process.pid, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    processes_.clear();
}

} // namespace dcmpipe::retrieve
