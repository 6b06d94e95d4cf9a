#include "send/verdict.hpp"

#include <catch2/catch.hpp>

using dcmpipe::send::describe;
using dcmpipe::send::Verdict;
using dcmpipe::send::verdict_of;

TEST_CASE("what a status of C-STORE means, class by class")
{
    CHECK(verdict_of(0x0000) == Verdict::Stored);
    for (const int warning : {0x0001, 0x0107, 0x0116, 0xb000, 0xb006, 0xb007, 0xbfff}) {
        CHECK(verdict_of(static_cast<std::uint16_t>(warning)) == Verdict::StoredWithWarning);
    }
    for (const int later : {0x0110, 0x0213, 0xa700, 0xa7ff}) {
        CHECK(verdict_of(static_cast<std::uint16_t>(later)) == Verdict::TryAgain);
    }
    for (const int never :
         {0x0111, 0x0122, 0x0124, 0x0211, 0xa6ff, 0xa800, 0xa900, 0xa9ff, 0xc000, 0xcfff, 0xfe00, 0xff00}) {
        CHECK(verdict_of(static_cast<std::uint16_t>(never)) == Verdict::Refused);
    }
}

TEST_CASE("a status is told with its name")
{
    CHECK(describe(0xa701) == "A701H, out of resources");
    CHECK(describe(0xb000) == "B000H, data elements were coerced");
    CHECK(describe(0xb123) == "B123H, a warning");
    CHECK(describe(0xd000) == "D000H, a failure");
}
