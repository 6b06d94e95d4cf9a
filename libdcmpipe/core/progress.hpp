#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace dcmpipe {

/// How far a batch has come: items, bytes, rate and, where the total is known, the time left; on stderr.
/// add() may be called from any thread.
class Progress {
public:
    enum class Mode {
        Auto,   ///< one line rewritten in place where stderr is a terminal, else nothing
        Always, ///< a line every 10 s, for logs
        Never,
    };

    Progress(Mode mode, std::string program);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// The number of items to come; 0 while it is unknown.
    void expect(std::uint64_t items) { expected_ = items; }

    /// The number of bytes to come from now on, for items that differ in size; 0 while it is unknown.
    void expect_bytes(std::uint64_t bytes) { expected_bytes_ = bytes == 0 ? 0 : bytes_ + bytes; }

    void add(std::uint64_t items, std::uint64_t bytes);

private:
    using Clock = std::chrono::steady_clock;

    void show(Clock::time_point now);
    std::string line(Clock::time_point now) const;

    std::string program_;
    bool in_place_ = false;
    bool silent_ = false;
    Clock::time_point start_ = Clock::now();
    std::atomic<std::uint64_t> items_{0};
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<std::uint64_t> expected_{0};
    std::atomic<std::uint64_t> expected_bytes_{0};
    std::mutex mutex_;
    Clock::time_point next_ = start_;
    bool shown_ = false;
};

} // namespace dcmpipe
