#include "core/output_queue.hpp"

#include "core/fd.hpp"

#include <array>
#include <csignal>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/socket.h>

using namespace std::chrono_literals;
using dcmpipe::EventLoop;
using dcmpipe::Fd;
using dcmpipe::OutputQueue;

namespace {

std::string read_all(int fd)
{
    std::string text(1 << 20, '\0');
    const auto count = ::read(fd, text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

/// Pushes far more than the descriptor holds, then reads: nothing waits, nothing is lost or mixed up.
void check_slow_reader(int write_end, int read_end)
{
    EventLoop loop;
    OutputQueue queue{loop, write_end, "test"};
    std::string sent;
    for (int i = 0; i < 50'000; ++i) {
        const auto line = "line " + std::to_string(i) + "\n";
        sent += line;
        queue.push(line);
    }
    CHECK(queue.bytes() == sent.size());
    std::string got;
    while (!queue.empty()) {
        loop.run_once(100ms);
        got += read_all(read_end);
    }
    CHECK(got == sent);
    CHECK(queue.bytes() == 0);
}

} // namespace

TEST_CASE("a pipe whose reader is slow holds nobody up, and keeps its flags")
{
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const Fd read_end{ends[0]};
    const Fd write_end{ends[1]};
    check_slow_reader(write_end.get(), read_end.get());
    CHECK((::fcntl(write_end.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("so does a socket")
{
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    const Fd read_end{ends[0]};
    const Fd write_end{ends[1]};
    check_slow_reader(write_end.get(), read_end.get());
}

TEST_CASE("a reader that is gone shows, with and without something to write")
{
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    Fd read_end{ends[0]};
    const Fd write_end{ends[1]};
    EventLoop loop;
    OutputQueue idle{loop, write_end.get(), "test"};
    OutputQueue busy{loop, write_end.get(), "test"};
    busy.push("x");
    loop.run_once(0ms);
    CHECK_FALSE(idle.reader_gone());
    CHECK(busy.empty());
    read_end.reset();
    busy.push("x");
    loop.run_once(1000ms);
    CHECK(idle.reader_gone());
    CHECK(busy.reader_gone());
}
