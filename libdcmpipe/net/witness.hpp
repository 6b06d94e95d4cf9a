#pragma once

#include "net/counters.hpp"
#include "net/event_log.hpp"
#include "net/transport.hpp"

#include <filesystem>
#include <optional>

namespace dcmpipe::net {

/// What happens at a receiver, for others to see: events as lines, and their sums. For one thread.
class Witness {
public:
    /// `events` is a file or the number of a descriptor, `counters` a file. Throws Error{Output}.
    Witness(
        const std::optional<std::filesystem::path>& events, std::optional<std::filesystem::path> counters);

    void hear(const Event& event);

    /// About once a second. What cannot be written is logged.
    void publish();
    void publish_last();

    /// Opens the event file again under its name. Throws Error{Output}.
    void reopen();

    /// In a forked process: all of it stays the parent's alone.
    void let_go();

private:
    std::optional<EventLog> events_{};
    Counters counters_{};
    std::optional<std::filesystem::path> file_;
    TimePoint next_{};
};

} // namespace dcmpipe::net
