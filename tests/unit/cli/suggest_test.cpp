#include "cli/suggest.hpp"

#include <catch2/catch.hpp>

using dcmpipe::cli::nearest;

TEST_CASE("the nearest word is what was meant")
{
    const std::vector<std::string> known{"--out",  "--overwrite", "--json",
                                         "--jobs", "--log-file",  "--log-level"};
    CHECK(nearest("--outt", known) == "--out");
    CHECK(nearest("--ot", known) == "--out");
    CHECK(nearest("--otu", known) == "--out");
    CHECK(nearest("--log_file", known) == "--log-file");
    CHECK(nearest("--overwirte", known) == "--overwrite");
    CHECK(nearest("--job", known) == "--jobs");
}

TEST_CASE("nothing is better than something far away")
{
    CHECK(nearest("--frobnicate", {"--out", "--json"}) == std::nullopt);
    CHECK(nearest("-x", {"--out"}) == std::nullopt);
    CHECK(nearest("", {"--out"}) == std::nullopt);
    CHECK(nearest("--out", {}) == std::nullopt);
}
