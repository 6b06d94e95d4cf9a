#pragma once

#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace dcmpipe::test {

/// What `work` writes to a file descriptor, STDOUT_FILENO or STDERR_FILENO.
inline std::string captured(int fd, const std::function<void()>& work)
{
    std::FILE* const file = std::tmpfile();
    const int saved = ::dup(fd);
    if (file == nullptr || saved < 0) {
        throw std::runtime_error{"no temporary file"};
    }
    std::fflush(nullptr);
    ::dup2(::fileno(file), fd);
    work();
    std::fflush(nullptr);
    ::dup2(saved, fd);
    ::close(saved);
    std::string text(static_cast<std::size_t>(::lseek(::fileno(file), 0, SEEK_END)), '\0');
    const auto got = ::pread(::fileno(file), text.data(), text.size(), 0);
    std::fclose(file);
    return got == static_cast<ssize_t>(text.size()) ? text : "(cannot read what was captured)";
}

} // namespace dcmpipe::test
