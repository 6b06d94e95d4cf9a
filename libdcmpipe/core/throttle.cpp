#include "core/throttle.hpp"

#include "core/stop.hpp"

#include <algorithm>

namespace dcmpipe {

void Throttle::spend(std::uint64_t bytes)
{
    if (rate_ <= 0) {
        return;
    }
    Clock::time_point turn;
    {
        const std::lock_guard lock{mutex_};
        turn = std::max(free_, Clock::now());
        const std::chrono::duration<double> takes{static_cast<double>(bytes) / rate_};
        free_ = turn + std::chrono::duration_cast<Clock::duration>(takes);
    }
    stop::sleep(std::chrono::duration<double>{turn - Clock::now()}.count());
}

} // namespace dcmpipe
