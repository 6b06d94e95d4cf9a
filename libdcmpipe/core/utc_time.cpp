#include "core/utc_time.hpp"

#include <chrono>

#include <fmt/chrono.h>

namespace dcmpipe {

std::string utc_now()
{
    // Not a time_point: fmt 9 writes that in local time.
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
}

} // namespace dcmpipe
