#include "retrieve/profile.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using retrieve::Operation;
using test::Scratch;

TEST_CASE("a profile out of a file, and what it leaves open")
{
    const Scratch scratch;
    const auto path = scratch / "profile.json";
    write_text_file(path, R"({"operations": ["get", "move"], "max_answers": 500, "lists_images": false, // slow
                              "answer_character_set": "ISO_IR 100", "gap": 0.5, "comment": "the old one"})");
    const auto profile = retrieve::read_profile(path.string());
    CHECK(profile.operations == std::vector{Operation::Get, Operation::Move});
    CHECK(profile.most_answers == 500);
    CHECK(profile.lists_images == false);
    CHECK(profile.gap == 0.5);
    CHECK_FALSE(profile.relational);

    retrieve::Profile words;
    words.most_answers = 100;
    const auto both = merged(words, profile);
    CHECK(both.most_answers == 100);
    CHECK(both.gap == 0.5);
    CHECK(both.operations.size() == 2);
}

TEST_CASE("what a profile cannot mean is refused")
{
    const Scratch scratch;
    const auto path = scratch / "profile.json";
    for (const auto* const text :
         {"[]", R"({"unknown": 1})", R"({"operations": "put"})", R"({"relational": "yes"})", R"({"gap": -1})"}) {
        write_text_file(path, text);
        CHECK_THROWS_AS(retrieve::read_profile(path.string()), Error);
    }
    CHECK_THROWS_AS(retrieve::read_profile("no-such-profile"), Error);
    CHECK(retrieve::read_profile("carestream-chuv").patient_level == true);
}

TEST_CASE("a nodes file may hold profiles, by name or AE title")
{
    const Scratch scratch;
    const auto path = scratch / "nodes.json";
    write_text_file(path, R"({"nodes": {"a": {"aet": "A", "address": "h", "port": 1}},
                              "profiles": {"a": {"max_uids": 1}, "B": "carestream-chuv", "c": "none"}})");
    CHECK(retrieve::profile_of_node(path, "a", "A")->most_uids == 1);
    CHECK(retrieve::profile_of_node(path, "B@h:1", "B")->patient_level == true);
    CHECK_FALSE(retrieve::profile_of_node(path, "d", "D"));
    CHECK_THROWS_AS(retrieve::profile_of_node(path, "c", "C"), Error);
}
