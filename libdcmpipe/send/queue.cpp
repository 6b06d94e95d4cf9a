#include "send/queue.hpp"

#include "core/stop.hpp"

#include <algorithm>

namespace dcmpipe::send {

namespace {

using namespace std::chrono_literals;

/// A signal wakes no thread that waits here.
constexpr auto between_looks = 200ms;

} // namespace

Pair pair_of(const Item& item)
{
    return {item.sop_class_uid, item.transfer_syntax};
}

bool Queue::put(ShipmentPtr shipment)
{
    std::unique_lock lock{mutex_};
    while (waiting_.size() >= most_ && !closed_ && !stop::requested()) {
        changed_.wait_for(lock, between_looks);
    }
    if (closed_ || stop::requested()) {
        return false;
    }
    waiting_.push_back(std::move(shipment));
    flushed_ = false;
    changed_.notify_all();
    return true;
}

void Queue::flush()
{
    const std::lock_guard lock{mutex_};
    flushed_ = true;
    changed_.notify_all();
}

void Queue::close()
{
    const std::lock_guard lock{mutex_};
    closed_ = true;
    changed_.notify_all();
}

void Queue::abandon()
{
    const std::lock_guard lock{mutex_};
    closed_ = true;
    abandoned_ = true;
    waiting_.clear();
    changed_.notify_all();
}

void Queue::done()
{
    const std::lock_guard lock{mutex_};
    --taken_;
    changed_.notify_all();
}

void Queue::put_back(ShipmentPtr shipment)
{
    const std::lock_guard lock{mutex_};
    --taken_;
    waiting_.push_front(std::move(shipment));
    changed_.notify_all();
}

/// Null where nothing may be taken yet.
ShipmentPtr Queue::find(const Pairs& open)
{
    auto found = open.empty()
                     ? waiting_.end()
                     : std::find_if(waiting_.begin(), waiting_.end(), [&](const ShipmentPtr& shipment) {
                           return open.count(pair_of(shipment->item)) != 0;
                       });
    const bool complete = flushed_ || closed_ || waiting_.size() >= most_;
    if (found == waiting_.end() && complete) {
        found = waiting_.begin();
    }
    if (found == waiting_.end()) {
        return nullptr;
    }
    auto shipment = std::move(*found);
    waiting_.erase(found);
    ++taken_;
    changed_.notify_all();
    return shipment;
}

Queue::Taken Queue::take(const Pairs& open, std::chrono::milliseconds patience)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock{mutex_};
    for (;;) {
        if (stop::requested() || abandoned_) {
            return {.over = true};
        }
        if (auto shipment = find(open)) {
            return {.shipment = std::move(shipment)};
        }
        if (closed_ && waiting_.empty() && taken_ == 0) {
            return {.over = true};
        }
        const auto now = std::chrono::steady_clock::now();
        if (now >= until) {
            return {};
        }
        changed_.wait_until(lock, std::min(until, now + between_looks));
    }
}

Pairs Queue::wanted() const
{
    const std::lock_guard lock{mutex_};
    Pairs pairs;
    for (const auto& shipment : waiting_) {
        pairs.insert(pair_of(shipment->item));
    }
    return pairs;
}

} // namespace dcmpipe::send
