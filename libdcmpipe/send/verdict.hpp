#pragma once

#include <cstdint>
#include <string>

namespace dcmpipe::send {

/// What the status of a C-STORE response means for the instance.
enum class Verdict {
    Stored,
    StoredWithWarning, ///< the peer has it, and changed or doubts something
    TryAgain,          ///< the peer could not just now: out of resources, a failure in processing
    Refused,           ///< another try would meet the same answer
};

/// By the classes of PS3.7 §C and the values of PS3.4 Table B.2-1.
Verdict verdict_of(std::uint16_t status) noexcept;

/// The status and what the standard calls it: `A700H, out of resources`.
std::string describe(std::uint16_t status);

} // namespace dcmpipe::send
