#include "core/utc_time.hpp"

#include <chrono>

#include <fmt/chrono.h>

namespace dcmpipe {

std::string utc_now()
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", seconds);
}

} // namespace dcmpipe
