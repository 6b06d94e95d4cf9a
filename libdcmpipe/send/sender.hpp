#pragma once

#include "send/journal.hpp"
#include "send/outlet.hpp"
#include "send/shipment.hpp"

#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::send {

/// Where nodes report storage commitment when they make an association for it.
struct ReportAddress {
    std::string address{}; ///< to listen on; empty: every one
    std::uint16_t port = 0;
};

struct SendSettings {
    std::vector<net::Node> nodes;
    OutletSettings outlet;
    std::uint64_t bytes_per_second = 0; ///< over all nodes; 0: as many as there are
    std::filesystem::path journal;
    std::optional<ReportAddress> reports{};
    net::TlsFiles tls_files{}; ///< for nodes that report, where outlet.call.tls is set
};

/// Sends instances to every node, over associations in threads of their own. The slowest node sets the pace
/// once some thousand instances wait for it. Not for sharing between threads.
class Sender {
public:
    /// Told from any thread, one at a time, of each instance once every node is settled.
    using OnSettled = std::function<void(const Shipment&)>;

    /// Throws Error{Output} where the journal cannot be opened, or the port for reports.
    Sender(SendSettings settings, OnSettled on_settled);
    ~Sender();
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    /// Waits for room. Throws what stopped the threads: Error{Output} where the journal cannot be written,
    /// and what the callback threw.
    void submit(Item item);

    /// There may be none for a while.
    void flush();

    /// Whether anything submitted could still be sent.
    bool any_node_left() const;

    /// Returns once all is settled, or a signal asked to stop and what was on its way has arrived. Throws as
    /// submit().
    void finish();

    /// Why no more was sent to a node, by its number; nothing where all was.
    std::optional<Error> given_up(std::size_t node) const { return outlets_.at(node)->given_up(); }

private:
    void settled(const ShipmentPtr& shipment, std::size_t node, Delivery delivery);
    void failed(std::exception_ptr failure);
    void check();

    SendSettings settings_;
    OnSettled on_settled_;
    Journal journal_;
    Throttle throttle_;
    Transactions transactions_;
    std::mutex mutex_;
    std::exception_ptr failure_;
    std::unique_ptr<ReportListener> listener_; ///< null: reports come on associations of ours
    std::vector<std::unique_ptr<Outlet>> outlets_;
};

} // namespace dcmpipe::send
