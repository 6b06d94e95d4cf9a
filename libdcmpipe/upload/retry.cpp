#include "upload/retry.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace dcmpipe::upload {

Verdict verdict_of(int http_status) noexcept
{
    switch (http_status) {
    case 200:
    case 201:
        return Verdict::Taken;
    case 401:
        return Verdict::LogInAgain;
    case 408:
    case 425:
    case 429:
        return Verdict::TryLater;
    default:
        return http_status >= 500 && http_status < 600 ? Verdict::TryLater : Verdict::Refused;
    }
}

bool is_about_the_file(int http_status) noexcept
{
    constexpr std::array<int, 5> known{400, 409, 413, 415, 422};
    return std::find(known.begin(), known.end(), http_status) != known.end();
}

bool is_busy(int http_status) noexcept
{
    return http_status == 429 || http_status == 503;
}

double Backoff::delay(unsigned retry, double chance, double retry_after) const noexcept
{
    const double doubled = std::min(first * std::exp2(retry - 1), longest);
    return std::max(doubled * (0.5 + chance), retry_after);
}

} // namespace dcmpipe::upload
