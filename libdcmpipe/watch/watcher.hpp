#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "watch/receiver_events.hpp"
#include "watch/snapshot.hpp"
#include "watch/state.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dcmpipe::watch {

struct WatchSettings {
    std::vector<std::filesystem::path> trees;
    double timeout = 60;           ///< seconds without a change after which a study is complete
    std::optional<unsigned> depth; ///< study folders are so many levels down; without it, those with a marker
    bool once = false;             ///< the process looks once and ends: see Watcher::look()
    double after_release = 2;      ///< the same, where all that was received for it was released
    std::optional<std::filesystem::path> events; ///< of the receiver, which tell of releases
    /// A study whose last change is so many seconds ago is left alone, and given up where it was begun; 0:
    /// none.
    double max_age = 0;
};

/// The clocks that completion is judged by.
struct Now {
    double boot = 0; ///< seconds since the machine started (CLOCK_BOOTTIME)
    double wall = 0; ///< time of day, seconds since 1970
    std::string boot_id;

    static Now read();
};

/// A study folder: `tree`/`study` is the path to tell others.
struct StudyPlace {
    std::filesystem::path tree;
    std::filesystem::path study; ///< relative to the tree; empty where the tree itself is the study

    std::filesystem::path path() const { return study.empty() ? tree : tree / study; }
};

/// A complete study that is ours to do: no other watcher has it as long as this stands.
class Claim {
public:
    const StudyPlace& place() const noexcept { return place_; }
    const Snapshot& snapshot() const noexcept { return snapshot_; }
    /// 1 the first time, one more for each time that something was added or changed since.
    std::uint64_t revision() const noexcept { return state_.done ? state_.done->revision + 1 : 1; }
    /// The lock. A process that inherits it keeps the study claimed even if we are killed.
    int lock() const noexcept { return lock_.get(); }

private:
    friend class Watcher;

    StudyPlace place_;
    Snapshot snapshot_;
    StudyState state_;
    Fd lock_;
};

/// Finds the studies of some trees that are complete and not done yet.
///
/// A study is complete when nothing in its folder changed for `timeout` seconds, it holds a file that is not
/// hidden, and no other process holds the folder by flock(2): a receiver may, as long as an association
/// sends to it. Time is measured from when we saw the last change, on a clock that no step of the time of
/// day moves; so a study may wait longer after a restart, never shorter. Only where the process looks once
/// does the age of the last change by the time of day count as well, or nobody could ever tell. Where the
/// receiver's events say that every association that sent for a study was released, it need be quiet for
/// `after_release` seconds only.
///
/// Not for sharing between threads; any number of processes may watch one tree.
class Watcher {
public:
    /// Throws Error{Input} where a tree is no folder.
    explicit Watcher(WatchSettings settings);

    /// What one look gives.
    struct Look {
        std::vector<StudyPlace> complete; ///< in the order of the trees and names
        std::vector<StudyPlace> given_up; ///< begun, never done, and older than max_age; each told once
        std::vector<std::pair<std::filesystem::path, Error>> trouble; ///< what could not be judged, and why
    };

    /// Looks at all trees. Throws nothing about one study: that is in Look::trouble.
    Look look(const Now& now);

    /// Takes a study that look() gave, or nothing where another watcher has it, or did it, or it changed
    /// since. Notes in its state that it is begun. Throws Error{Input, Output}.
    std::optional<Claim> claim(const StudyPlace& place);

    /// Records the study as done, durably. Throws Error{Output}.
    void done(Claim claim);
    /// done() in two parts: the first, from any thread, as soon as it is; the second when there is time.
    static void record(const Claim& claim);
    void recorded(const Claim& claim);

    /// Leaves the study for later: after `timeout`, then twice that and so on, up to an hour; at once where
    /// it changes.
    void failed(const StudyPlace& place, const Now& now);

    /// Seconds to wait before the next look.
    double pause() const noexcept;

private:
    struct Observation {
        std::string activity;
        double since = 0; ///< Now::boot
        std::string done_content;
        unsigned failures = 0;
        double not_before = 0; ///< Now::boot
    };
    using Observations = std::map<std::filesystem::path, Observation>;

    void look_at_tree(const std::filesystem::path& tree, const Now& now, Look& look, Observations& seen);
    bool is_due(const StudyPlace& place, const Snapshot& snapshot, const Now& now, Observation& seen);
    bool is_given_up(const StudyPlace& place, const Snapshot& snapshot) const;
    Observation first_sight(const StudyPlace& place, const Snapshot& snapshot, const Now& now) const;
    void remember(const StudyPlace& place, const Observation& seen, const Now& now) const;

    double quiet_time(const StudyPlace& place) const;

    WatchSettings settings_;
    std::optional<ReceiverEvents> events_;
    Observations seen_;    ///< by the study's path
    double last_look_ = 0; ///< seconds that it took
};

} // namespace dcmpipe::watch
