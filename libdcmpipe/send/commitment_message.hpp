#pragma once

#include "net/association.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The Storage Commitment Push Model (PS3.4 §J.3) as messages.
namespace dcmpipe::send {

inline constexpr std::string_view CommitmentClass = "1.2.840.10008.1.20.1";

/// SOP Class UID and SOP Instance UID.
using Reference = std::pair<std::string, std::string>;

/// A new Transaction UID, that nobody can guess.
std::string new_transaction_uid();

/// Asks a node to commit itself to `references` (N-ACTION); the status of its response. Its reports come
/// later, on this association or on one that it makes. Throws Error{Peer}.
std::uint16_t request_commitment(
    net::Association& association, const net::Context& context, const std::string& transaction_uid,
    const std::vector<Reference>& references);

/// What a node reports of a transaction.
struct CommitmentReport {
    std::string transaction_uid;
    std::set<Reference> committed;
    std::map<Reference, std::uint16_t> failed; ///< with (0008,1197) Failure Reason
};

/// Takes an N-EVENT-REPORT request with its data set, and answers it. Throws Error{Peer} where it is
/// something else.
CommitmentReport receive_report(net::Association& association, const net::Association::Message& message);

/// What the standard calls a failure reason (PS3.3 §C.14-1).
std::string describe_failure(std::uint16_t reason);

} // namespace dcmpipe::send
