#pragma once

#include "send/line.hpp"
#include "send/shipment.hpp"
#include "send/transactions.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace dcmpipe::send {

/// How long a node may take to report.
struct CommitSettings {
    std::chrono::seconds same_association{5}; ///< on the association of the request
    std::chrono::seconds in_all{60};
};

/// An instance that a node accepted.
struct Accepted {
    ShipmentPtr shipment;
    Delivery delivery;
    std::string sha256; ///< of its data set
};

/// Asks one node to commit itself to what it accepted, some hundred instances at a time, in a thread of its
/// own. Any thread may use it.
class Committer {
public:
    enum class Outcome {
        Committed,
        Missing, ///< the node does not have it
        Failed,
    };
    /// Called from the thread for each; it may not throw.
    using OnSettled = std::function<void(Accepted, Outcome, const std::string& reason)>;

    /// Pauses before retry 1, 2, and so on; false where there is to be none.
    using Pause = std::function<bool(unsigned retry)>;

    /// What is passed by reference must outlive it.
    Committer(
        const net::Node& node, const CallSettings& call, const CommitSettings& settings,
        Transactions& transactions, Pause pause, OnSettled on_settled);
    /// As finish().
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    void add(Accepted accepted);

    /// There may be none for a while: what waits need not wait for company.
    void flush();

    /// No more will come. Returns once all are settled, or a signal asked to stop.
    void finish();

private:
    void run();
    std::vector<Accepted> next_batch();
    void settle(std::vector<Accepted> batch);
    net::CommitmentReport ask(const std::vector<Accepted>& batch);
    net::CommitmentReport ask_once(net::CommitmentRequest request);
    std::optional<net::CommitmentReport> await_report(
        net::Association& association, const std::string& transaction_uid);

    const net::Node& node_;
    const CallSettings& call_;
    const CommitSettings& settings_;
    Transactions& transactions_;
    Pause pause_;
    OnSettled on_settled_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Accepted> waiting_;
    bool flushed_ = false;
    bool finished_ = false;
    std::thread thread_;
};

} // namespace dcmpipe::send
