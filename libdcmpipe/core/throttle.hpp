#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace dcmpipe {

/// So many bytes a second and no more, over all who share it. May be used from any thread.
class Throttle {
public:
    /// 0: as many as there are.
    explicit Throttle(double bytes_per_second) : rate_(bytes_per_second) {}

    /// Waits until what was spent before has gone, or a signal asks to stop; then `bytes` more may go.
    void spend(std::uint64_t bytes);

private:
    using Clock = std::chrono::steady_clock;

    double rate_;
    std::mutex mutex_;
    Clock::time_point free_ = Clock::now(); ///< when all that was spent has gone out
};

} // namespace dcmpipe
