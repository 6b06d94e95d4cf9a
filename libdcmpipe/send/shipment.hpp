#pragma once

#include "send/item.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace dcmpipe::send {

/// What became of an instance at one node.
struct Delivery {
    enum class Outcome { Sent, SentBefore, Failed };
    Outcome outcome = Outcome::Failed;
    std::uint16_t status = 0; ///< of the C-STORE response; 0 where there was none
    bool warned = false;      ///< the status is a warning
    bool committed = false;   ///< by storage commitment
    std::string reason{};     ///< why it failed
};

/// An instance on its way to every node. Members may be called from any thread.
class Shipment {
public:
    Shipment(Item what, std::size_t nodes) : item(std::move(what)), deliveries_(nodes), open_(nodes) {}

    const Item item;

    /// Notes what became of it at a node, each once; true for the last.
    bool settle(std::size_t node, Delivery delivery)
    {
        const std::lock_guard lock{mutex_};
        deliveries_.at(node) = std::move(delivery);
        return --open_ == 0;
    }

    /// In the order of the nodes; once all are settled.
    const std::vector<Delivery>& deliveries() const { return deliveries_; }

private:
    std::vector<Delivery> deliveries_;
    std::size_t open_;
    std::mutex mutex_{};
};

using ShipmentPtr = std::shared_ptr<Shipment>;

} // namespace dcmpipe::send
