#include "core/progress.hpp"

#include <cstdio>

#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe {

Progress::Progress(Mode mode, std::string program)
    : program_(std::move(program)), in_place_(mode == Mode::Auto && ::isatty(STDERR_FILENO) == 1),
      silent_(mode == Mode::Never || (mode == Mode::Auto && !in_place_))
{
    next_ += in_place_ ? std::chrono::milliseconds{500} : std::chrono::seconds{10};
}

Progress::~Progress()
{
    if (shown_ && in_place_) {
        fmt::print(stderr, "\r\x1b[K");
    }
}

void Progress::add(std::uint64_t items, std::uint64_t bytes)
{
    items_ += items;
    bytes_ += bytes;
    if (silent_) {
        return;
    }
    const std::unique_lock lock{mutex_, std::try_to_lock};
    const auto now = Clock::now();
    if (lock.owns_lock() && now >= next_) {
        show(now);
    }
}

void Progress::show(Clock::time_point now)
{
    shown_ = true;
    next_ = now + (in_place_ ? std::chrono::milliseconds{250} : std::chrono::seconds{10});
    if (in_place_) {
        fmt::print(stderr, "\r\x1b[K{}", line(now));
    } else {
        fmt::print(stderr, "{}\n", line(now));
    }
    std::fflush(stderr);
}

std::string Progress::line(Clock::time_point now) const
{
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const auto items = items_.load();
    const auto expected = expected_.load();
    auto text = fmt::format("{}: {}", program_, items);
    if (expected > 0) {
        text += fmt::format(" of {}", expected);
    }
    const auto bytes = bytes_.load();
    const auto expected_bytes = expected_bytes_.load();
    const double megabytes = static_cast<double>(bytes) / 1e6;
    text += fmt::format(", {:.1f} MB, {:.1f} MB/s", megabytes, megabytes / seconds);
    if (expected_bytes > bytes && bytes > 0) {
        const double left =
            seconds * static_cast<double>(expected_bytes - bytes) / static_cast<double>(bytes);
        text += fmt::format(", {:.0f} s left", left);
    } else if (expected > items && items > 0) {
        const double left = seconds * static_cast<double>(expected - items) / static_cast<double>(items);
        text += fmt::format(", {:.0f} s left", left);
    }
    return text;
}

} // namespace dcmpipe
