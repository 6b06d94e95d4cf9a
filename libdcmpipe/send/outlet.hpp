#pragma once

#include "core/error.hpp"
#include "core/throttle.hpp"
#include "send/committer.hpp"
#include "send/journal.hpp"
#include "send/line.hpp"
#include "send/queue.hpp"
#include "upload/retry.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace dcmpipe::send {

struct OutletSettings {
    CallSettings call;
    unsigned associations = 1; ///< at once, with each node
    unsigned retries = 3;      ///< of an instance, after the first try
    upload::Backoff backoff{.first = 1, .longest = 900};
    bool retry_failed = false;              ///< send what a node refused for good once more
    std::optional<CommitSettings> commit{}; ///< ask for storage commitment
};

/// The way to one node: a queue, the associations that empty it, each in a thread, and what is retried when.
class Outlet {
public:
    struct Ends {
        std::function<void(const ShipmentPtr&, std::size_t node, Delivery)> settled;
        /// An exception that is not about one instance: nothing can go on.
        std::function<void(std::exception_ptr)> failed;
    };

    /// `number` is the node's, for who is told. What is passed by reference must outlive it.
    Outlet(
        std::size_t number, net::Node node, const OutletSettings& settings, Journal& journal,
        Throttle& throttle, Transactions& transactions, Ends ends);
    ~Outlet();
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;

    /// What the journal knows is settled at once, else it waits for its turn. Waits for room.
    void submit(const ShipmentPtr& shipment);

    /// There may be none for a while.
    void flush() { queue_.flush(); }

    /// Nothing more is taken; what waits is not sent.
    void abandon();

    /// Returns once all is settled, or a signal asked to stop and what was on its way has arrived.
    void finish();

    const net::Node& node() const noexcept { return node_; }

    /// Why nothing is sent to the node any more; nothing while it is.
    std::optional<Error> given_up() const;

private:
    /// What becomes of an instance in one try.
    enum class Step {
        Settled,
        Again,
        Retire, ///< this association is one too many: the instance is for the others
    };

    void run(bool first);
    void work();
    Step deliver(Line& line, const ShipmentPtr& shipment);
    Step attempt(Line& line, const ShipmentPtr& shipment, bool last);
    Step answered(const ShipmentPtr& shipment, std::uint16_t status, const std::string& sha256, bool last);
    Step lost(const ShipmentPtr& shipment, const Error& error, bool last);
    void accepted(Accepted instance);
    void commit_settled(const Accepted& accepted, Committer::Outcome outcome, const std::string& reason);
    void note(const Item& item, Stage stage, std::uint16_t status, const std::string& sha256);
    void fail(const ShipmentPtr& shipment, std::string reason, std::uint16_t status = 0);
    void miss(const Error& error);
    bool pause(unsigned retry) const;
    bool may_try_again(unsigned retry) const { return retry <= settings_.retries && pause(retry); }

    std::size_t number_;
    net::Node node_;
    std::string name_; ///< in the journal
    const OutletSettings& settings_;
    Journal& journal_;
    Throttle& throttle_;
    Ends ends_;
    Queue queue_;
    enum class Contact { None, Made, Over };
    std::atomic<Contact> contact_{Contact::None}; ///< whether the node was ever reached
    std::atomic<unsigned> storing_{0};            ///< associations at work
    std::atomic<bool> abandoned_{false};
    std::atomic<unsigned> misses_{0}; ///< instances in a row that no try brought there
    mutable std::mutex mutex_;
    std::optional<Error> given_up_;
    std::unique_ptr<Committer> committer_; ///< null: nobody asks for it
    std::vector<std::thread> threads_;
};

} // namespace dcmpipe::send
