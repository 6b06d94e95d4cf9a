#pragma once

#include "core/error.hpp"
#include "watch/command.hpp"
#include "watch/watcher.hpp"

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace dcmpipe::watch {

/// Runs a command for several studies at a time, and records each as done the moment it ends well
/// (Watcher::record()). To be used from one thread.
class Crew {
public:
    /// Borrows the command.
    Crew(const Command& command, unsigned size) : command_(command), size_(size) {}
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    /// Waits for all.
    ~Crew() = default;

    bool is_full() const noexcept { return running_.size() >= size_; }
    bool is_idle() const noexcept { return running_.empty(); }

    /// Starts the command for the study; not where the crew is full.
    void start(Claim claim);

    struct Ended {
        Claim claim;
        int code = 0;                 ///< as Command::run() returns it
        std::optional<Error> error{}; ///< where it could not be started, or its end not be recorded
    };

    /// Those that ended since; where there is none and `wait` is set, waits for one.
    std::vector<Ended> ended(bool wait);

private:
    struct Running {
        Ended result;
        bool is_over = false;
        std::jthread thread{};
    };

    const Command& command_;
    unsigned size_;
    std::mutex mutex_; ///< of Running::is_over
    std::condition_variable something_ended_;
    std::list<Running> running_; ///< the last member: its threads use the others
};

} // namespace dcmpipe::watch
