#include "core/json_file.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <fstream>

using namespace dcmpipe;
using Catch::Matchers::Contains;

TEST_CASE("JSON is read, comments and all")
{
    const test::Scratch scratch;
    std::ofstream{scratch / "a.json"} << "// a profile\n{\"x\": [1, 2], /* two */ \"y\": \"z\"}\n";
    const auto json = read_json_file("the profile", scratch / "a.json");
    CHECK(json["x"].size() == 2);
    CHECK(json["y"] == "z");
}

TEST_CASE("what is no JSON is a usage error that says where")
{
    const test::Scratch scratch;
    const auto path = scratch / "a.json";
    const auto refused = [&](const std::string& text, const std::string& reason) {
        CAPTURE(text);
        std::ofstream{path} << text;
        try {
            read_json_file("the profile", path);
            FAIL("it was taken");
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::Usage);
            CHECK_THAT(
                error.what(), Contains("cannot read the profile '" + path.string()) && Contains(reason));
        }
    };
    refused("{\n  \"x\": }", "line 2, column 8");
    refused("", "line 1");
    refused("{\"x\": 1} more", "line 1");
    refused("{\"x\": \"\xff\"}", "invalid");
    refused("{\"x\": -1e600}", ": number overflow");
    std::filesystem::remove(path);
    CHECK_THROWS_WITH(read_json_file("the profile", path), Contains("No such file"));
}

TEST_CASE("a small text file as it is")
{
    const test::Scratch scratch;
    std::ofstream{scratch / "a"} << "two\nlines\n";
    CHECK(read_text_file(scratch / "a") == "two\nlines\n");
    CHECK_THROWS_AS(read_text_file(scratch / "b"), Error);
}
