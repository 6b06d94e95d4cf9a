#pragma once

#include "core/error.hpp"
#include "retrieve/connection.hpp"

namespace dcmpipe::retrieve {

/// Keeps from going on at a node that fails again and again: after three failures in a row it is only asked
/// by C-ECHO, after pauses that double, until it answers. Not for sharing between threads.
class Breaker {
public:
    explicit Breaker(Connection& connection) : connection_(connection) {}

    void succeeded() noexcept;

    /// The node broke off, or was not reached in time. Returns once it may be asked again; throws `error`
    /// where it stays away, or answers C-ECHO and nothing else.
    void failed(const Error& error);

private:
    Connection& connection_;
    unsigned in_a_row_ = 0;
    unsigned opened_ = 0; ///< without a success since
};

} // namespace dcmpipe::retrieve
