#pragma once

namespace dcmpipe::upload {

/// What an HTTP status means for an upload.
enum class Verdict {
    Taken,      ///< 200, 201: the server has it, if it says so in the body as well
    LogInAgain, ///< 401: once, with a new token
    TryLater,   ///< 408, 425, 429, 5xx
    Refused,    ///< anything else: another try would meet the same answer
};

Verdict verdict_of(int http_status) noexcept;

/// Statuses that are about what was sent, and not about the server or who asks: 400, 409, 413, 415, 422. The
/// same bytes will meet the same answer tomorrow.
bool is_about_the_file(int http_status) noexcept;

/// 429 and 503: the server is there but asks for a rest.
bool is_busy(int http_status) noexcept;

/// When to try again: doubling from `first` up to `longest`, each ±50 % by chance so that many clients do
/// not come back together, and never before the server allows it. Seconds.
struct Backoff {
    double first = 5;
    double longest = 600;

    /// Before retry 1, 2, ...; `chance` is uniform in [0, 1), `retry_after` what the server asked for.
    double delay(unsigned retry, double chance, double retry_after) const noexcept;
};

} // namespace dcmpipe::upload
