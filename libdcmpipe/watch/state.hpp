#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace dcmpipe::watch {

/// What is kept of a study between runs, a JSON file each: `TREE/.dpipe-watch/NAME.json`, where NAME is the
/// folder's path in the tree with `+` for `/`. It stays when the folder goes: a tree that is away for a while
/// is not forgotten.
struct StudyState {
    /// What was done last.
    struct Done {
        std::uint64_t revision = 0; ///< 1, 2, ...
        std::uint64_t files = 0;
        std::uint64_t bytes = 0;
        std::string content; ///< Snapshot::content
        std::string time;    ///< in UTC
    };
    /// When a run that does not stay saw it last: how long it is quiet, the next run can tell.
    struct Seen {
        std::string activity; ///< Snapshot::activity
        std::string boot_id;  ///< of the machine's start that `since` counts from
        double since = 0;     ///< seconds on the clock that no step of the time of day moves (CLOCK_BOOTTIME)
    };
    std::optional<Done> done;
    std::optional<Seen> seen;
    std::string started;  ///< when a revision was begun, in UTC; empty where none is under way
    std::string given_up; ///< Snapshot::content of what was given up
};

/// The state file of a study in a tree.
std::filesystem::path state_file(const std::filesystem::path& tree, const std::filesystem::path& study);

/// An empty state where there is none. Throws Error{Input} where the file stands but cannot be understood:
/// to take it for nothing would do the study again.
StudyState read_state(const std::filesystem::path& tree, const std::filesystem::path& study);

/// Writes the state, durably. Throws Error{Output}.
void write_state(
    const std::filesystem::path& tree, const std::filesystem::path& study, const StudyState& state);

} // namespace dcmpipe::watch
