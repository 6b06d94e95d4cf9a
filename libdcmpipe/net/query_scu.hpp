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
    /// What came with the last response, encoded: of C-GET and C-MOVE the list of those that failed.
    std::string identifier{};
};

/// Takes an answer; false when no more are wanted.
using OnAnswer = std::function<bool(std::string_view identifier)>;

/// Answers are given out as they come. Where no more are wanted, or `stopping` says so (it is asked once a
/// second while nothing comes, and with each answer), the peer is told to cancel, and what it still sends is
/// dropped. One that does not end within five seconds is aborted. What was cancelled has status FE00H,
/// whatever the peer says.
QueryOutcome find(
    Association& association, const Context& context, std::string_view identifier, const OnAnswer& on_answer,
    const std::function<bool()>& stopping = {});

/// What the peer sends on this association meanwhile is answered by `scp`. A peer that says that it goes on,
/// and does not, for as long as one may be silent, has broken off.
QueryOutcome get(
    Association& association, const Context& context, std::string_view identifier, StorageScp& scp);

/// `serve_others` is called while nothing comes from the peer, with the time since when: it works for about a
/// second at most and returns early once there may be something. It throws to give up.
QueryOutcome move(
    Association& association, const Context& context, std::string_view identifier,
    std::string_view destination,
    const std::function<void(const Association&, TimePoint silent_since)>& serve_others);

/// C-ECHO (PS3.7 §9.1.5): whether the peer answers, with Success.
bool echo(Association& association, const Context& context);

} // namespace dcmpipe::net
