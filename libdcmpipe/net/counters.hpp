#pragma once

#include "net/event.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace dcmpipe::net {

/// Sums over events, for monitoring. They hold no UID and no AE title.
class Counters {
public:
    void count(const Event& event);
    void set_lost_events(std::uint64_t lost);

    /// In the text format that Prometheus and its node exporter read: a line `name{label="value"} number`
    /// each.
    std::string text() const;

    /// Replaces `path` in one step where anything changed since the last time; no flush to the disk. Throws
    /// Error{Output}.
    void write(const std::filesystem::path& path);

private:
    std::map<std::string, std::uint64_t> values_{
        {"associations_open", 0}, {"associations_total", 0}, {"bytes_total", 0}, {"events_lost_total", 0}};
    bool changed_ = true;
};

} // namespace dcmpipe::net
