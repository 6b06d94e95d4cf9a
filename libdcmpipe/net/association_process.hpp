#pragma once

#include "net/event.hpp"
#include "net/receiver.hpp"

#include <optional>

#include <sys/types.h>

/// What the process of one association does; private to receiver.cpp.
namespace dcmpipe::net {

/// Limits what this process can take from the machine, and ends it with its parent.
void confine_process(pid_t parent, const Receiver::Settings& settings) noexcept;

/// Serves `connection` and ends the process. `parent` is a socket to the parent: events go there as
/// datagrams, and Opened is answered by one byte, `may_open` or another. With `turned_away` the peer is told
/// that. The exit status is 0 where nothing is left to report on storage commitment.
[[noreturn]] void serve_in_process(
    Listener::Connection connection, int parent, const Receiver::Settings& settings,
    const std::optional<Rejection>& turned_away) noexcept;

inline constexpr char may_open = 'y';

} // namespace dcmpipe::net
