#include "core/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dcmpipe {

void for_each_index(std::size_t count, unsigned jobs, const std::function<void(std::size_t index)>& work)
{
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::exception_ptr first;
    const auto take_turns = [&] {
        for (auto index = next++; index < count; index = next++) {
            try {
                work(index);
            } catch (...) { // NOLINT(bugprone-empty-catch): thrown again below
                const std::lock_guard lock{mutex};
                first = first ? first : std::current_exception();
                next = count;
            }
        }
    };
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    const auto threads = std::min<std::size_t>(jobs == 0 ? cores : jobs, count);
    {
        std::vector<std::jthread> others;
        for (std::size_t i = 1; i < threads; ++i) {
            others.emplace_back(take_turns);
        }
        take_turns();
    }
    if (first) {
        std::rethrow_exception(first);
    }
}

} // namespace dcmpipe
