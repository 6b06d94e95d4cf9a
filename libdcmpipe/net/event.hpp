#pragma once

#include "net/report.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe::net {

enum class EventKind {
    Opened,    ///< an association was let in
    Rejected,  ///< an association was not
    Failed,    ///< a connection became no association
    Stored,    ///< an instance stands durably, or stood already
    Refused,   ///< an instance was answered with another status than Success
    Closed,    ///< an association that was opened is over
    Committed, ///< the report on a request for storage commitment was heard, or given up
};

/// The word for it: `opened`.
std::string_view to_string(EventKind kind);

/// The word for it: `identical`.
std::string_view to_string(Duplicate duplicate);

/// What happens at a receiver. It holds UIDs and AE titles, no other value of a data set.
struct Event {
    EventKind kind = EventKind::Failed;
    std::uint64_t association = 0; ///< counted since the receiver started; 0: of one that is over
    std::string peer{};            ///< address and port
    std::string calling_aet{};
    std::string called_aet{};
    std::string reason{};      ///< of Rejected, Failed, Refused; how it ended, for Closed
    std::string limit{};       ///< the limit that was reached, by its option: `max-object`
    std::uint16_t status = 0;  ///< of Refused
    bool released = false;     ///< Closed in order: by a release; the report of Committed was taken
    StoredInstance instance{}; ///< of Stored; of Refused what the command said of it
    std::uint64_t stored = 0;  ///< Closed, Committed: how many instances there were
    std::uint64_t refused = 0; ///< how many were not

    /// One datagram from the process of an association to its parent, which knows number and peer.
    std::string encode() const;

    /// Nothing where the datagram is no event.
    static std::optional<Event> decode(std::string_view datagram);

    static constexpr std::size_t longest = 2 * Report::longest;

    /// One line of JSON without its end: `{"event":"stored",...}`, with the time in UTC.
    std::string json() const;
};

} // namespace dcmpipe::net
