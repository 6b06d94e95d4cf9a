#pragma once

#include <string>

namespace dcmpipe {

/// The time now as records, receipts and logs have it, to the second: `2024-01-02T03:04:05Z`.
std::string utc_now();

} // namespace dcmpipe
