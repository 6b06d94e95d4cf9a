#include "core/stop.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <ctime>

#include <unistd.h>

namespace dcmpipe::stop {

namespace {

std::atomic<int> stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void on_signal(int number)
{
    int none = 0;
    if (!stop_signal.compare_exchange_strong(none, number)) {
        ::signal(number, SIG_DFL);
        ::raise(number);
    }
}

extern "C" void on_signal_in_child(int number)
{
    stop_signal = number;
}

void handle_with(void (*handler)(int))
{
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigemptyset(&action.sa_mask);
    // No SA_RESTART: a blocking call returns with EINTR, so that the loop around it sees the request.
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

} // namespace

void install()
{
    handle_with(on_signal);
}

void install_in_child()
{
    handle_with(on_signal_in_child);
}

bool requested() noexcept
{
    return stop_signal.load(std::memory_order_relaxed) != 0;
}

int signal_number() noexcept
{
    return stop_signal.load(std::memory_order_relaxed);
}

bool sleep(double seconds)
{
    constexpr double longest = 1e9; // more than anybody waits for, and a number of seconds for certain
    const auto nap = std::clamp(seconds, 0.0, longest);
    timespec rest{static_cast<std::time_t>(nap), static_cast<long>(std::fmod(nap, 1.0) * 1e9)};
    while (!requested() && ::nanosleep(&rest, &rest) != 0) {
    }
    return !requested();
}

void die_by_signal()
{
    const int number = signal_number();
    if (number != 0) {
        ::signal(number, SIG_DFL);
        ::raise(number);
    }
}

} // namespace dcmpipe::stop
