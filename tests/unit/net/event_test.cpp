#include "net/event.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace dcmpipe::net;

TEST_CASE("an event passes through a datagram")
{
    Event event{
        .kind = EventKind::Refused,
        .calling_aet = "CT1",
        .called_aet = "STORE",
        .reason = "too long",
        .limit = "max-object",
        .status = 0xa700,
        .instance = {.sop_class_uid = "1.2.3", .instance_uid = "1.2.4"},
        .stored = 3,
        .refused = 4};
    const auto back = Event::decode(event.encode());
    REQUIRE(back);
    CHECK(back->kind == EventKind::Refused);
    CHECK(back->calling_aet == "CT1");
    CHECK(back->called_aet == "STORE");
    CHECK(back->reason == "too long");
    CHECK(back->limit == "max-object");
    CHECK(back->status == 0xa700);
    CHECK(back->instance.instance_uid == "1.2.4");
    CHECK(back->stored == 3);
    CHECK(back->refused == 4);
    CHECK_FALSE(back->released);
}

TEST_CASE("a long or broken text stays one field")
{
    const auto back = Event::decode(Event{
        .kind = EventKind::Failed,
        .reason = std::string(2000, 'x') + '\0',
        .limit = std::string{"a\0b", 3}}.encode());
    REQUIRE(back);
    CHECK(back->reason.size() < 1000);
    CHECK(back->limit == "a?b");
}

TEST_CASE("what is no event is none")
{
    const auto whole = Event{.kind = EventKind::Closed}.encode();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK_FALSE(Event::decode(whole.substr(0, size)));
    }
    CHECK_FALSE(Event::decode("9" + whole));
}

TEST_CASE("a line of JSON says what happened and no more")
{
    const auto line = nlohmann::json::parse(Event{
        .kind = EventKind::Rejected,
        .association = 7,
        .peer = "10.0.0.1:5",
        .reason = "no",
        .limit = "max-per-aet"}
                                                .json());
    CHECK(line["event"] == "rejected");
    CHECK(line["association"] == 7);
    CHECK(line["limit"] == "max-per-aet");
    CHECK_FALSE(line.contains("SOPInstanceUID"));
    CHECK_FALSE(line.contains("calling_aet"));
    const auto closed = nlohmann::json::parse(Event{.kind = EventKind::Closed, .released = true}.json());
    CHECK(closed["released"] == true);
    CHECK(closed["stored"] == 0);
}
