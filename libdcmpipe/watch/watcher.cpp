#include "watch/watcher.hpp"

#include "core/utc_time.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>

#include <fcntl.h>
#include <sys/file.h>

namespace dcmpipe::watch {

namespace fs = std::filesystem;

namespace {

constexpr double longest_pause = 5; ///< seconds between two looks
constexpr double shortest_pause = 0.02;
constexpr double longest_backoff = 3600;
constexpr unsigned looks_share = 10; ///< a look takes at most one part in so many of the time

double seconds_of(clockid_t clock)
{
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::string read_boot_id()
{
    std::string id(36, '\0');
    const Fd fd{::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)};
    const auto count = ::read(fd.get(), id.data(), id.size());
    id.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return id;
}

/// Nothing where the folder is gone or another process holds it.
Fd lock_folder(const fs::path& folder)
{
    Fd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) {
        return {};
    }
    if (!fd) {
        throw Error::from_errno(ErrorKind::Input, "cannot read the folder", folder.string());
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return {};
        }
        throw Error::from_errno(ErrorKind::Input, "cannot lock the folder", folder.string());
    }
    return fd;
}

bool is_done(const StudyState& state, const Snapshot& snapshot)
{
    return state.done && state.done->content == snapshot.content;
}

} // namespace

Now Now::read()
{
    static const std::string boot_id = read_boot_id();
    return {seconds_of(CLOCK_BOOTTIME), seconds_of(CLOCK_REALTIME), boot_id};
}

Watcher::Watcher(WatchSettings settings) : settings_(std::move(settings))
{
    for (const auto& tree : settings_.trees) {
        std::error_code error;
        if (!fs::is_directory(tree, error)) {
            throw Error{
                ErrorKind::Input, "cannot watch", tree.string(), error ? error.message() : "not a folder"};
        }
    }
    if (settings_.events) {
        events_.emplace(*settings_.events);
    }
}

Watcher::Look Watcher::look(const Now& now)
{
    const double start = seconds_of(CLOCK_MONOTONIC);
    Look look;
    if (events_) {
        try {
            events_->read();
        } catch (const Error& error) {
            look.trouble.emplace_back(*settings_.events, error);
        }
    }
    Observations seen;
    for (const auto& tree : settings_.trees) {
        look_at_tree(tree, now, look, seen);
    }
    seen_ = std::move(seen);
    last_look_ = seconds_of(CLOCK_MONOTONIC) - start;
    return look;
}

void Watcher::look_at_tree(const fs::path& tree, const Now& now, Look& look, Observations& seen)
{
    std::vector<Error> unreadable;
    const auto studies = find_studies(tree, settings_.depth, unreadable);
    for (const auto& error : unreadable) {
        look.trouble.emplace_back(error.subject(), error);
    }
    for (const auto& study : studies) {
        const StudyPlace place{tree, study};
        const auto path = place.path();
        try {
            const auto snapshot = look_at(path);
            if (!snapshot) {
                continue;
            }
            const auto known = seen_.find(path);
            auto& observation =
                seen.emplace(path, known != seen_.end() ? known->second : first_sight(place, *snapshot, now))
                    .first->second;
            const bool is_due_now = is_due(place, *snapshot, now, observation);
            const bool is_too_old = settings_.max_age > 0 && now.wall - snapshot->newest > settings_.max_age;
            if (is_due_now && !is_too_old) {
                look.complete.push_back(place);
            } else if (is_due_now && is_given_up(place, *snapshot)) {
                look.given_up.push_back(place);
            }
        } catch (const Error& error) {
            look.trouble.emplace_back(path, error);
        }
    }
}

Watcher::Observation Watcher::first_sight(
    const StudyPlace& place, const Snapshot& snapshot, const Now& now) const
{
    const auto state = read_state(place.tree, place.study);
    Observation seen{snapshot.activity, now.boot, state.done ? state.done->content : std::string{}, 0, 0};
    if (state.seen && state.seen->boot_id == now.boot_id && state.seen->activity == snapshot.activity) {
        seen.since = state.seen->since;
    }
    if (settings_.once && snapshot.newest <= now.wall) {
        seen.since = std::min(seen.since, now.boot - (now.wall - snapshot.newest));
    }
    return seen;
}

bool Watcher::is_due(const StudyPlace& place, const Snapshot& snapshot, const Now& now, Observation& seen)
{
    if (seen.activity != snapshot.activity) {
        seen = {snapshot.activity, now.boot, seen.done_content, 0, 0};
    }
    if (snapshot.files == 0 || seen.done_content == snapshot.content) {
        return false;
    }
    const bool quiet = now.boot - seen.since >= quiet_time(place);
    if (!quiet && settings_.once) {
        remember(place, seen, now);
    }
    return quiet && now.boot >= seen.not_before;
}

double Watcher::quiet_time(const StudyPlace& place) const
{
    const bool released = events_ && events_->all_released(place.path());
    return released ? std::min(settings_.after_release, settings_.timeout) : settings_.timeout;
}

/// Notes it, so that nobody hears of it again until the study changes.
bool Watcher::is_given_up(const StudyPlace& place, const Snapshot& snapshot) const
{
    auto state = read_state(place.tree, place.study);
    if (state.started.empty() || state.given_up == snapshot.content) {
        return false;
    }
    state.given_up = snapshot.content;
    write_state(place.tree, place.study, state);
    return true;
}

/// For the next run, which would else begin to count anew.
void Watcher::remember(const StudyPlace& place, const Observation& seen, const Now& now) const
{
    auto state = read_state(place.tree, place.study);
    const bool known =
        state.seen && state.seen->activity == seen.activity && state.seen->boot_id == now.boot_id;
    if (!known) {
        state.seen = {seen.activity, now.boot_id, seen.since};
        write_state(place.tree, place.study, state);
    }
}

std::optional<Claim> Watcher::claim(const StudyPlace& place)
{
    const auto path = place.path();
    const auto observed = seen_.find(path);
    Claim claim;
    claim.place_ = place;
    claim.lock_ = lock_folder(path);
    if (!claim.lock_ || observed == seen_.end()) {
        return std::nullopt;
    }
    const auto snapshot = look_at(path);
    if (!snapshot || snapshot->activity != observed->second.activity) {
        return std::nullopt;
    }
    claim.snapshot_ = *snapshot;
    claim.state_ = read_state(place.tree, place.study);
    if (is_done(claim.state_, *snapshot)) {
        observed->second.done_content = snapshot->content;
        return std::nullopt;
    }
    claim.state_.started = utc_now();
    write_state(place.tree, place.study, claim.state_);
    return claim;
}

void Watcher::done(Claim claim)
{
    record(claim);
    recorded(claim);
}

void Watcher::record(const Claim& claim)
{
    const auto& snapshot = claim.snapshot_;
    const StudyState state{
        StudyState::Done{claim.revision(), snapshot.files, snapshot.bytes, snapshot.content, utc_now()},
        std::nullopt,
        {},
        {}};
    write_state(claim.place_.tree, claim.place_.study, state);
}

void Watcher::recorded(const Claim& claim)
{
    seen_[claim.place_.path()].done_content = claim.snapshot_.content;
}

void Watcher::failed(const StudyPlace& place, const Now& now)
{
    auto& seen = seen_[place.path()];
    const double first = std::max(settings_.timeout, shortest_pause);
    seen.not_before = now.boot + std::min(first * std::exp2(seen.failures), longest_backoff);
    ++seen.failures;
}

double Watcher::pause() const noexcept
{
    const double shortest_wait =
        events_ ? std::min(settings_.after_release, settings_.timeout) : settings_.timeout;
    return std::max(std::clamp(shortest_wait / 4, shortest_pause, longest_pause), last_look_ * looks_share);
}

} // namespace dcmpipe::watch
