#include "core/utc_time.hpp"

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
    live_at("XXX-13");
    const auto before = std::time(nullptr);
    const auto text = utc_now();
    const auto after = std::time(nullptr);
    live_at(nullptr);
    std::tm read{};
    const char* const end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &read);
    REQUIRE(end == text.c_str() + text.size());
    CHECK(text.size() == 20);
    const auto seconds = ::timegm(&read);
    CHECK(seconds >= before);
    CHECK(seconds <= after);
}
