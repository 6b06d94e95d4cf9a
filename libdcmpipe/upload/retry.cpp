#include "upload/retry.hpp"

#include <algorithm>
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
