#include "send/journal.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

using dcmpipe::Error;
using namespace dcmpipe::send;
using dcmpipe::test::Scratch;

TEST_CASE("the journal keeps what each node said of each data set")
{
    const Scratch scratch;
    const auto file = scratch.path() / "a" / "j.db";
    {
        Journal journal{file};
        CHECK(journal.find("A@b:1", "1.2").empty());
        journal.put("A@b:1", "1.2", {"aa", Stage::Refused, 0xa900, "/x", {10, 20}});
        journal.put("A@b:1", "1.2", {"bb", Stage::Accepted, 0, "/y", {11, 21}});
        journal.put("A@b:1", "1.2", {"aa", Stage::Committed, 0xb000, "/z", {12, 22}});
    }
    Journal journal{file}; // as another process finds it
    CHECK(journal.find("C@b:1", "1.2").empty());
    auto entries = journal.find("A@b:1", "1.2");
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].sha256 == "aa");
    CHECK(entries[0].stage == Stage::Committed);
    CHECK(entries[0].status == 0xb000);
    CHECK(entries[0].path == "/z");
    CHECK(entries[0].stamp == Stamp{12, 22});
    CHECK(entries[1].stage == Stage::Accepted);
    journal.forget("A@b:1", "1.2", "aa");
    CHECK(journal.find("A@b:1", "1.2").size() == 1);

    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    CHECK_THROWS_AS(Journal{"/proc/none/j.db"}, Error);
}
