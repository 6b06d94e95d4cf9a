#pragma once

#include "dicom/layout.hpp"
#include "net/association.hpp"
#include "net/commitment.hpp"
#include "net/commitment_call.hpp"
#include "net/commitment_queue.hpp"
#include "net/node.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::net {

/// The service side of the Storage Commitment Push Model (PS3.4 §J.3) for one peer: takes requests
/// (N-ACTION), answers each from what stands on the disk, and reports (N-EVENT-REPORT) on the association
/// that asked while it lasts, else on one of its own to where the peer listens. What it answered with Success
/// stands in the store's CommitmentQueue until the peer has heard of it. For one process.
class CommitmentScp {
public:
    struct Settings {
        std::filesystem::path root;
        dicom::Layout layout{"uid"};
        std::string calling_aet; ///< the peer's
        std::string address;     ///< where it calls from
        CommitmentCall::Settings call{};
        /// Where the peer listens, where that is known; asked once there is something to report.
        std::function<std::optional<Node>()> node{};
        /// Whether the store takes anything more: what waits needs room as well. Always where unset.
        std::function<bool()> has_room{};
    };

    /// Told of each request, once it was reported or given up.
    using OnDone = std::function<void(const CommitmentReport&, bool delivered)>;

    CommitmentScp(Settings settings, OnDone on_done);

    /// An N-ACTION request with its data set; answers it.
    void take(Association& association, const Association::Message& request);

    /// The peer's answer to a report.
    void heard(const Command& response);

    /// Reports on the association what has not been reported. A peer that listens elsewhere is given a second
    /// to release the association first: it may not want to hear it there.
    void report_on(Association& association);

    /// Once the association is over: reports what is left where the peer listens, tries again for some
    /// minutes, and less when the process is asked to stop. True where something still waits, for another
    /// process (CommitmentReporter); what nobody knows where to bring is given up. Does not throw.
    bool report_elsewhere() noexcept;

private:
    struct Waiting {
        CommitmentQueue::Entry entry;
        CommitmentReport report;
        std::uint16_t sent_as = 0; ///< the Message ID, once it was sent
        std::uint8_t context_id = 0;
    };

    std::uint16_t decide(const Command& command, std::string_view data_set, const Context& context);
    void take_up_others();
    void send(Association& association, Waiting& waiting);
    void call();
    void done(std::size_t place, bool delivered);

    Settings settings_;
    CommitmentQueue queue_;
    OnDone on_done_;
    std::optional<Node> node_{};
    std::vector<Waiting> waiting_{};
    bool others_taken_up_ = false;
    std::uint16_t last_message_id_ = 0;
};

} // namespace dcmpipe::net
