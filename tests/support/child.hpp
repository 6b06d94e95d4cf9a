#pragma once

#include <cstdlib>
#include <exception>
#include <functional>

#include <sys/wait.h>
#include <unistd.h>

namespace dcmpipe::test {

/// How `work` ends in a process of its own: its exit code (0 where it returns, 99 where it throws), or 128 +
/// the signal that ended it.
inline int in_child(const std::function<void()>& work)
{
    const auto child = ::fork();
    if (child == 0) {
        try {
            work();
            ::_exit(0);
        } catch (const std::exception&) {
            ::_exit(99);
        }
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace dcmpipe::test
