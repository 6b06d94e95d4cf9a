#pragma once

#include "net/association.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

/// The user side of C-STORE and C-ECHO (PS3.7 §9.1.1, §9.1.5). Both give the status of the response and throw
/// Error{Peer} where the peer breaks off or answers out of turn; then only abort() is left.
namespace dcmpipe::net {

/// What `next` throws goes through, after the association was aborted: the peer has half an instance.
std::uint16_t store(
    Association& association, const Context& context, std::uint16_t message_id, std::string_view instance_uid,
    const std::function<Association::Piece()>& next);

/// The association has a context for Verification.
std::uint16_t echo(Association& association);

} // namespace dcmpipe::net
