#include "watch/crew.hpp"

#include <algorithm>

namespace dcmpipe::watch {

void Crew::start(Claim claim)
{
    auto& running = running_.emplace_back(Running{{std::move(claim)}});
    running.thread = std::jthread{[this, &running] {
        try {
            const auto& study = running.result.claim;
            running.result.code = command_.run(study.place().path(), study.lock());
            if (running.result.code == 0) {
                Watcher::record(study);
            }
        } catch (const Error& error) {
            running.result.error = error;
        }
        const std::lock_guard lock{mutex_};
        running.is_over = true;
        something_ended_.notify_one();
    }};
}

std::vector<Crew::Ended> Crew::ended(bool wait)
{
    const auto is_over = [](const Running& running) { return running.is_over; };
    std::list<Running> over;
    {
        std::unique_lock lock{mutex_};
        if (wait && !running_.empty()) {
            something_ended_.wait(
                lock, [&] { return std::any_of(running_.begin(), running_.end(), is_over); });
        }
        for (auto each = running_.begin(); each != running_.end();) {
            const auto next = std::next(each);
            if (is_over(*each)) {
                over.splice(over.end(), running_, each);
            }
            each = next;
        }
    }
    std::vector<Ended> results;
    for (auto& running : over) {
        running.thread.join();
        results.push_back(std::move(running.result));
    }
    return results;
}

} // namespace dcmpipe::watch
