#pragma once

#include "send/shipment.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <set>
#include <string>
#include <utility>

namespace dcmpipe::send {

/// SOP classes with the transfer syntaxes they come in: a presentation context each.
using Pair = std::pair<std::string, std::string>;
using Pairs = std::set<Pair>;

Pair pair_of(const Item& item);

/// What waits for the associations of one node. Bounded: who puts in waits while it is full. Given out in the
/// order it came, but what an open association can carry goes first. Any thread may use it.
class Queue {
public:
    explicit Queue(std::size_t most) : most_(most) {}

    /// Waits for room. False once the queue is closed, or a signal asked to stop.
    bool put(ShipmentPtr shipment);

    /// There may be none for a while: what waits need not wait for company.
    void flush();

    /// No more will come.
    void close();

    /// As close(); what waits is dropped.
    void abandon();

    /// One that was taken is dealt with.
    void done();

    /// One that was taken was not dealt with: it is the next.
    void put_back(ShipmentPtr shipment);

    struct Taken {
        ShipmentPtr shipment{}; ///< null where none came in time
        bool over = false;      ///< and none will come, or a signal asked to stop
    };

    /// The next one; done() or put_back() must follow, and until then it is not over for anybody. What `open`
    /// does not hold waits until the queue is full, flushed or closed, so that an association is made for as
    /// many as there are.
    Taken take(const Pairs& open, std::chrono::milliseconds patience);

    /// What those that wait need.
    Pairs wanted() const;

private:
    ShipmentPtr find(const Pairs& open);

    std::size_t most_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<ShipmentPtr> waiting_;
    std::size_t taken_ = 0; ///< and may come back
    bool flushed_ = false;
    bool closed_ = false;
    bool abandoned_ = false;
};

} // namespace dcmpipe::send
