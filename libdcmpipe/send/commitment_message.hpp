#pragma once

#include "net/association.hpp"
#include "net/commitment.hpp"

#include <cstdint>
#include <string>

/// The user side of the Storage Commitment Push Model (PS3.4 §J.3) as messages.
namespace dcmpipe::send {

/// A new Transaction UID, that nobody can guess.
std::string new_transaction_uid();

/// Asks a node to commit itself to instances (N-ACTION); the status of its response. Its report comes later,
/// on this association or on one that it makes. Throws Error{Peer}.
std::uint16_t request_commitment(
    net::Association& association, const net::Context& context, const net::CommitmentRequest& request);

/// Takes an N-EVENT-REPORT request with its data set, and answers it. Throws Error{Peer} where it is
/// something else.
net::CommitmentReport receive_report(net::Association& association, const net::Association::Message& message);

/// What the standard calls a failure reason (PS3.3 §C.14.1.1).
std::string describe_failure(std::uint16_t reason);

} // namespace dcmpipe::send
