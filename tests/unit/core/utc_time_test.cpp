#include "core/utc_time.hpp"

#include <chrono>
#include <cstdlib>
#include <ctime>

#include <catch2/catch.hpp>

using namespace dcmpipe;

TEST_CASE("the time is UTC to the second, wherever the machine stands")
{
    const auto live_at = [](const char* zone) {
        zone != nullptr ? ::setenv("TZ", zone, 1) : ::unsetenv("TZ");
        ::tzset();
    };
    // time() may tell the second before: its clock ticks, the other runs.
    const auto now = [] { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); };
    live_at("XXX-13");
    const auto before = now();
    const auto text = utc_now();
    const auto after = now();
    live_at(nullptr);
    std::tm read{};
    const char* const end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &read);
    REQUIRE(end == text.c_str() + text.size());
    CHECK(text.size() == 20);
    const auto seconds = ::timegm(&read);
    CHECK(seconds >= before);
    CHECK(seconds <= after);
}
