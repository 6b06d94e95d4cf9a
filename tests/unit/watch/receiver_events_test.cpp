#include "watch/receiver_events.hpp"

#include "support/scratch.hpp"

#include <fstream>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using watch::ReceiverEvents;

namespace {

const std::string opened = R"({"event":"opened","association":1})";
const std::string stored = R"({"event":"stored","association":1,"path":"/in/1.2/1.3/a.dcm"})";
const std::string released = R"({"event":"closed","association":1,"released":true})";
const std::string broken = R"({"event":"closed","association":1,"released":false})";

ReceiverEvents after(const std::vector<std::string>& lines)
{
    ReceiverEvents events{"none"};
    for (const auto& line : lines) {
        events.take(line);
    }
    return events;
}

} // namespace

TEST_CASE("a study is released when every association that brought something was")
{
    CHECK_FALSE(after({}).all_released("/in/1.2"));
    CHECK_FALSE(after({opened, stored}).all_released("/in/1.2"));
    CHECK_FALSE(after({opened, stored, broken}).all_released("/in/1.2"));
    CHECK(after({opened, stored, released}).all_released("/in/1.2"));
    CHECK_FALSE(after({opened, stored, released}).all_released("/in/1"));
    CHECK_FALSE(after({opened, stored, released}).all_released("/in/1.2.3"));
    const std::string second = R"({"event":"opened","association":2})";
    const std::string other = R"({"event":"stored","association":2,"path":"/in/1.2/1.4/b.dcm"})";
    CHECK_FALSE(after({opened, stored, second, other, released}).all_released("/in/1.2"));
}

TEST_CASE("who broke off, comes again and releases, has released")
{
    const std::string second = R"({"event":"opened","association":2})";
    const std::string again = R"({"event":"stored","association":2,"path":"/in/1.2/1.3/b.dcm"})";
    const std::string end = R"({"event":"closed","association":2,"released":true})";
    CHECK(after({opened, stored, broken, second, again, end}).all_released("/in/1.2"));
    CHECK_FALSE(after({opened, stored, second, again, broken, end}).all_released("/in/1.2"));
}

TEST_CASE("a receiver that starts anew has left what was open")
{
    CHECK_FALSE(after({opened, stored, opened, released}).all_released("/in/1.2"));
}

TEST_CASE("what is no event tells nothing")
{
    CHECK(after({opened, stored, "", "{", "[]", R"({"event":3,"association":-1})",
                 R"({"event":"lost","count":3})", released})
              .all_released("/in/1.2"));
}

TEST_CASE("a file is read on, line by whole line, through a rotation")
{
    const test::Scratch scratch;
    const auto file = scratch / "events";
    ReceiverEvents events{file};
    events.read();
    std::ofstream{file} << opened << '\n' << stored << '\n' << released.substr(0, 20);
    events.read();
    CHECK_FALSE(events.all_released("/in/1.2"));
    std::ofstream{file, std::ios::app} << released.substr(20) << '\n';
    events.read();
    CHECK(events.all_released("/in/1.2"));
    std::ofstream{file, std::ios::app} << opened << '\n' << stored << '\n';
    std::filesystem::rename(file, scratch / "events.1");
    std::ofstream{file} << R"({"event":"opened","association":2})" << '\n';
    events.read();
    CHECK_FALSE(events.all_released("/in/1.2"));
}
