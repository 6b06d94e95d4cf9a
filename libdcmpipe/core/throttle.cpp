#include "send/throttle.hpp"

#include <algorithm>
#include <thread>

namespace dcmpipe::send {

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
    std::this_thread::sleep_until(turn);
}

} // namespace dcmpipe::send
