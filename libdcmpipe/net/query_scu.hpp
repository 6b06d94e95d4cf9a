#pragma once

#include "net/association.hpp"
#include "net/storage_scp.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// The user side of C-FIND, C-GET and C-MOVE (PS3.7 §9.1.2–4, PS3.4 §C.4). Identifiers are bytes, encoded by
/// the caller in the transfer syntax of the context. All throw Error{Peer} where the peer breaks off, and
/// Error{Cancelled} where the association was told to stop waiting; then only abort() is left.
namespace dcmpipe::net {

/// How an operation ended.
struct QueryOutcome {
    std::uint16_t status = 0;
    std::string comment{}; ///< (0000,0902), the peer's words: they may hold anything
    std::uint64_t answers = 0;
    // Sub-operations, as the peer counts them.
    unsigned completed = 0;
    unsigned failed = 0;
    unsigned warned = 0;
};

/// Takes an answer; false when no more are wanted.
using OnAnswer = std::function<bool(std::string_view identifier)>;

/// Answers are given out as they come. Where no more are wanted the peer is told to cancel, and what it still
/// sends is dropped, for a few seconds at most: then it is Error{Peer}.
QueryOutcome find(
    Association& association, const Context& context, std::string_view identifier, const OnAnswer& on_answer);

/// What the peer sends on this association meanwhile is answered by `scp`.
QueryOutcome get(
    Association& association, const Context& context, std::string_view identifier, StorageScp& scp);

/// `serve_others` is called while nothing comes from the peer, with the time since when: it works for about a
/// second at most and returns early once there may be something. It throws to give up.
QueryOutcome move(
    Association& association, const Context& context, std::string_view identifier,
    std::string_view destination,
    const std::function<void(const Association&, TimePoint silent_since)>& serve_others);

} // namespace dcmpipe::net
