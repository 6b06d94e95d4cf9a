#pragma once

#include "net/association.hpp"
#include "net/commitment.hpp"
#include "net/node.hpp"

#include <functional>
#include <memory>
#include <string>

namespace dcmpipe::net {

/// The N-EVENT-REPORT request that says what `report` says; its data set is encode_commitment_report().
Command commitment_event(const CommitmentReport& report, std::uint16_t message_id);

/// An association of our own to where a peer listens, to report on storage commitment (PS3.4 §J.3.3).
class CommitmentCall {
public:
    struct Settings {
        std::string aet; ///< ours
        Patience patience{};
        std::function<std::unique_ptr<Transport>(const Node&)> connect{};
    };

    /// Throws Error{Peer} where it cannot be reached or takes no storage commitment.
    CommitmentCall(const Settings& settings, const Node& node);

    /// Sends a report and waits until it was answered. Throws Error{Peer} where it is not.
    void report(const CommitmentReport& report);

    void release() { association_.release(); }

private:
    Association association_;
    std::uint16_t last_message_id_ = 0;
};

/// Logs an answer to a report that is none of success; the peer heard it all the same.
void note_answer(const Command& response);

} // namespace dcmpipe::net
