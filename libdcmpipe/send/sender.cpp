#include "send/sender.hpp"

#include <algorithm>

namespace dcmpipe::send {

Sender::Sender(SendSettings settings, OnSettled on_settled)
    : settings_(std::move(settings)), on_settled_(std::move(on_settled)), journal_(settings_.journal),
      throttle_(static_cast<double>(settings_.bytes_per_second))
{
    const auto& call = settings_.outlet.call;
    if (const auto& reports = settings_.reports) {
        listener_ = std::make_unique<ReportListener>(
            reports->address, reports->port, call, call.tls != nullptr, settings_.tls_files, transactions_);
    }
    for (const auto& node : settings_.nodes) {
        outlets_.push_back(std::make_unique<Outlet>(
            outlets_.size(), node, settings_.outlet, journal_, throttle_, transactions_,
            Outlet::Ends{
                .settled =
                    [this](const ShipmentPtr& shipment, std::size_t number, Delivery delivery) {
                        settled(shipment, number, std::move(delivery));
                    },
                .failed = [this](std::exception_ptr failure) { failed(std::move(failure)); }}));
    }
}

/// Threads may still call back: they end before anything else.
Sender::~Sender()
{
    for (auto& outlet : outlets_) {
        outlet->abandon();
    }
    outlets_.clear();
}

void Sender::settled(const ShipmentPtr& shipment, std::size_t node, Delivery delivery)
{
    if (shipment->settle(node, std::move(delivery))) {
        const std::lock_guard lock{mutex_};
        on_settled_(*shipment);
    }
}

void Sender::failed(std::exception_ptr failure)
{
    const std::lock_guard lock{mutex_};
    if (!failure_) {
        failure_ = std::move(failure);
    }
    for (auto& outlet : outlets_) {
        outlet->abandon();
    }
}

void Sender::check()
{
    const std::lock_guard lock{mutex_};
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

void Sender::submit(Item item)
{
    check();
    const auto shipment = std::make_shared<Shipment>(std::move(item), outlets_.size());
    for (auto& outlet : outlets_) {
        outlet->submit(shipment);
    }
}

void Sender::flush()
{
    for (auto& outlet : outlets_) {
        outlet->flush();
    }
}

bool Sender::any_node_left() const
{
    return std::any_of(
        outlets_.begin(), outlets_.end(), [](const auto& outlet) { return !outlet->given_up(); });
}

void Sender::finish()
{
    for (auto& outlet : outlets_) {
        outlet->finish();
    }
    check();
}

} // namespace dcmpipe::send
