#include "pseudonym/audit.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "pseudonym/map.hpp"
#include "support/scratch.hpp"

#include <fstream>
#include <thread>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::pseudonym;

namespace {

struct Fixture {
    test::Scratch scratch;
    std::filesystem::path path = scratch / "log.jsonl";
    Key key = Key::generate();
    RestoreKey restore_key = RestoreKey::generate();

    AuditLog log() const { return {path, key}; }
    std::size_t faults() const { return log().verify().faults.size(); }
    void write(std::string_view text) const { std::ofstream{path} << text; }
};

} // namespace

TEST_CASE_METHOD(Fixture, "a log that nobody touched is whole, over objects and processes")
{
    CHECK(log().verify().lines == 0);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([this] {
            for (int n = 0; n < 5; ++n) {
                log().append("dpipe-x", "look", {"sub-001"});
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const auto verdict = log().verify();
    CHECK(verdict.lines == 20);
    CHECK(verdict.faults.empty());
}

TEST_CASE_METHOD(Fixture, "every byte counts")
{
    for (int n = 0; n < 3; ++n) {
        log().append("dpipe-x", "look", {"sub-001"});
    }
    const auto whole = read_text_file(path);
    for (std::size_t at = 0; at + 1 < whole.size(); at += 5) {
        auto changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        write(changed);
        CAPTURE(at);
        CHECK(faults() > 0);
    }
    write(whole);
    CHECK(faults() == 0);
    const AuditLog foreign{path, Key::generate()};
    CHECK(foreign.verify().faults.size() == 3);
}

TEST_CASE_METHOD(Fixture, "the same is written once, and again where writing failed")
{
    auto one = log();
    one.append_once("dpipe-x", "look", {"sub-001"});
    one.append_once("dpipe-x", "look", {"sub-001"});
    one.append_once("dpipe-x", "look", {"sub-002"});
    CHECK(one.verify().lines == 2);
    AuditLog nowhere{scratch / "none" / "log", key};
    CHECK_THROWS_AS(nowhere.append_once("dpipe-x", "look", {"sub-001"}), Error);
    CHECK_THROWS_AS(nowhere.append_once("dpipe-x", "look", {"sub-001"}), Error);
}

TEST_CASE_METHOD(Fixture, "the map remembers the end: cut lines show, a crash before it remembered does not")
{
    const auto map_path = scratch / "link.db";
    Map::create(map_path, key, restore_key);
    auto map = Map::open(map_path, key);
    const auto anchored = [&] { return AuditLog{path, key, anchor_in(map, path, &restore_key)}; };
    anchored().append("dpipe-x", "look", {"sub-001"});
    anchored().append("dpipe-x", "look", {"sub-002"});
    log().append("dpipe-x", "look", {"sub-003"}); // durable, but not remembered
    CHECK(anchored().verify().faults.empty());
    const auto whole = read_text_file(path);
    write(whole.substr(0, whole.find('\n') + 1));
    CHECK(anchored().verify().faults.size() == 1);
    CHECK(AuditLog{path, key, anchor_in(map, path, nullptr)}.verify().faults.size() == 1);
    const auto other = RestoreKey::generate();
    CHECK_THROWS_AS((AuditLog{path, key, anchor_in(map, path, &other)}.verify()), Error);
}
