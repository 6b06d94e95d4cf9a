#include "retrieve/pace.hpp"

#include "core/error.hpp"

#include <catch2/catch.hpp>

namespace {

using dcmpipe::retrieve::Window;

/// Seconds until `text` is open, on a day of the week (Sunday is 0) at that time.
int until(const char* text, int weekday, int hour, int minute, int second = 0)
{
    std::tm now{};
    now.tm_wday = weekday;
    now.tm_hour = hour;
    now.tm_min = minute;
    now.tm_sec = second;
    return Window::parse(text).until_open(now);
}

} // namespace

TEST_CASE("a window within a day")
{
    CHECK(until("08:00-17:00", 3, 8, 0) == 0);
    CHECK(until("08:00-17:00", 3, 16, 59, 59) == 0);
    CHECK(until("08:00-17:00", 3, 17, 0) == 15 * 3600);
    CHECK(until("08:00-17:00", 3, 7, 59, 30) == 30);
    CHECK(until("8:00:10-8:00:20", 3, 8, 0, 10) == 0);
}

TEST_CASE("a window over midnight")
{
    CHECK(until("20:00-06:00", 3, 23, 0) == 0);
    CHECK(until("20:00-06:00", 3, 5, 59) == 0);
    CHECK(until("20:00-06:00", 3, 6, 0) == 14 * 3600);
}

TEST_CASE("a window of some days opens on those, and closes when it closes")
{
    CHECK(until("fri 20:00-06:00", 6, 3, 0) == 0); // Saturday night is Friday's
    CHECK(until("fri 20:00-06:00", 5, 3, 0) == 17 * 3600);
    CHECK(until("sat,sun 0:00-24:00", 5, 23, 0) == 3600);
    CHECK(until("sat,sun 0:00-24:00", 0, 23, 0) == 0);
    CHECK(until("sat-mon 0:00-24:00", 1, 12, 0) == 0);
    CHECK(until("mon-fri 20:00-06:00", 6, 7, 0) == (17 + 24 + 20) * 3600);
    CHECK(until("sun 00:00-24:00", 0, 0, 0) == 0);
}

TEST_CASE("what is no window is refused")
{
    for (const auto* const text :
         {"", "20:00", "20:00-", "-06:00", "24:01-06:00", "20:60-21:00", "20-06", "someday 20:00-06:00",
          "mon- 20:00-06:00x", "20:00-06:00 "}) {
        CHECK_THROWS_AS(Window::parse(text), dcmpipe::Error);
    }
}
