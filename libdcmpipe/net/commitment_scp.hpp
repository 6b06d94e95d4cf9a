#pragma once

#include "dicom/layout.hpp"
#include "net/association.hpp"
#include "net/commitment.hpp"
#include "net/node.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::net {

/// The service side of the Storage Commitment Push Model (PS3.4 §J.3) for one peer: takes requests
/// (N-ACTION), answers each from what stands on the disk, and reports (N-EVENT-REPORT) on the association
/// that asked while it lasts, else on one of its own to where the peer listens. For one process.
class CommitmentScp {
public:
    struct Settings {
        std::filesystem::path root;
        dicom::Layout layout{"uid"};
        std::string aet; ///< ours
        Patience patience{};
        /// Where the peer listens, where that is known; asked once there is something to report.
        std::function<std::optional<Node>()> node{};
        /// Connects to it.
        std::function<std::unique_ptr<Transport>(const Node&)> connect{};
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
    /// minutes, and less when the process is asked to stop. Does not throw.
    void report_elsewhere() noexcept;

private:
    struct Waiting {
        CommitmentReport report;
        std::uint8_t context_id;
        std::string transfer_syntax;
        std::uint16_t sent_as = 0; ///< the Message ID, once it was sent
    };

    std::uint16_t decide(const Command& command, std::string_view data_set, const Context& context);
    void send(Association& association, Waiting& waiting, std::uint8_t context_id, std::string_view syntax);
    void call();

    Settings settings_;
    OnDone on_done_;
    std::optional<Node> node_{};
    std::vector<Waiting> waiting_{};
    std::uint16_t last_message_id_ = 0;
};

} // namespace dcmpipe::net
