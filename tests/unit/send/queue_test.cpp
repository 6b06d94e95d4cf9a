#include "send/queue.hpp"

#include "send/line.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace dcmpipe::send;
using namespace std::chrono_literals;

namespace {

ShipmentPtr shipment(const std::string& sop_class, const std::string& uid = "1.2")
{
    Item item;
    item.sop_class_uid = sop_class;
    item.instance_uid = uid;
    item.transfer_syntax = "1";
    return std::make_shared<Shipment>(std::move(item), 1);
}

/// The SOP class of the next one, which is dealt with; empty where none may be taken.
std::string taken(Queue& queue, const Pairs& open)
{
    const auto next = queue.take(open, 1ms);
    if (!next.shipment) {
        return "";
    }
    queue.done();
    return next.shipment->item.sop_class_uid;
}

} // namespace

TEST_CASE("what the open association carries goes first, the rest once there is company")
{
    Queue queue{3};
    const Pairs open{{"B", "1"}};
    REQUIRE(queue.put(shipment("A")));
    REQUIRE(queue.put(shipment("B")));
    CHECK(taken(queue, open) == "B");
    CHECK(taken(queue, open).empty()); // more may come
    REQUIRE(queue.put(shipment("C")));
    REQUIRE(queue.put(shipment("D")));
    CHECK(queue.wanted() == Pairs{{"A", "1"}, {"C", "1"}, {"D", "1"}});
    CHECK(taken(queue, open) == "A"); // full
    CHECK(taken(queue, open).empty());
    queue.flush();
    CHECK(taken(queue, open) == "C");
    queue.close();
    CHECK(taken(queue, open) == "D");
    CHECK(queue.take(open, 1h).over);
    CHECK_FALSE(queue.put(shipment("E")));
}

TEST_CASE("who puts in waits for room")
{
    Queue queue{1};
    queue.put(shipment("A"));
    std::thread other{[&] { queue.put(shipment("B")); }};
    CHECK(taken(queue, {}) == "A");
    other.join();
    CHECK(taken(queue, {}) == "B");
}

TEST_CASE("one that is put back is the next; what is abandoned is gone")
{
    Queue queue{5};
    queue.put(shipment("A"));
    queue.put(shipment("B"));
    queue.flush();
    queue.put_back(queue.take({}, 1ms).shipment);
    CHECK(taken(queue, {}) == "A");
    queue.abandon();
    CHECK(queue.take({}, 1ms).over);
}

TEST_CASE("it is not over while one that was taken may come back")
{
    Queue queue{5};
    queue.put(shipment("A"));
    queue.close();
    auto last = queue.take({}, 1ms).shipment;
    REQUIRE(last);
    CHECK_FALSE(queue.take({}, 1ms).over);
    queue.put_back(std::move(last));
    CHECK(taken(queue, {}) == "A");
    CHECK(queue.take({}, 1ms).over);
}

TEST_CASE("an association proposes what is wanted and what was open, 128 at most")
{
    Pairs wanted;
    Pairs open;
    for (int i = 0; i < 100; ++i) {
        wanted.emplace("1.2." + std::to_string(i), "1");
        open.emplace("1.3." + std::to_string(i), "1");
    }
    const auto chosen = choose_pairs({"9", "1"}, open, wanted);
    CHECK(chosen.size() == most_contexts);
    CHECK(chosen.count({"9", "1"}) == 1);
    for (const auto& pair : wanted) {
        CHECK(chosen.count(pair) == 1);
    }
}
