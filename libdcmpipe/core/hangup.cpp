#include "core/hangup.hpp"

#include <atomic>
#include <csignal>

namespace dcmpipe::hangup {

namespace {

std::atomic<bool> asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_hangup(int /*number*/)
{
    asked = true;
}

} // namespace

void install()
{
    struct sigaction action {};
    action.sa_handler = on_hangup;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGHUP, &action, nullptr); // no SA_RESTART: who waits wakes up
}

bool taken() noexcept
{
    return asked.exchange(false);
}

} // namespace dcmpipe::hangup
