#include "core/event_loop.hpp"

#include "core/fd.hpp"

#include <array>

#include <catch2/catch.hpp>
#include <poll.h>
#include <unistd.h>

using namespace std::chrono_literals;
using dcmpipe::EventLoop;
using dcmpipe::Fd;

namespace {

struct Pipe {
    Pipe()
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        out = Fd{ends[0]};
        in = Fd{ends[1]};
        REQUIRE(::write(in.get(), "x", 1) == 1);
    }
    Fd out;
    Fd in;
};

} // namespace

TEST_CASE("who is ready is called, who is not is not")
{
    EventLoop loop;
    const Pipe full;
    Pipe empty;
    char byte = 0;
    REQUIRE(::read(empty.out.get(), &byte, 1) == 1);
    int full_calls = 0;
    int empty_calls = 0;
    loop.watch(full.out.get(), POLLIN, [&] { ++full_calls; });
    loop.watch(empty.out.get(), POLLIN, [&] { ++empty_calls; });
    loop.run_once(10ms);
    CHECK(full_calls == 1);
    CHECK(empty_calls == 0);
    empty.in.reset(); // its end is something to be told as well
    loop.run_once(10ms);
    CHECK(empty_calls == 1);
}

TEST_CASE("a callback may forget itself and others")
{
    EventLoop loop;
    const Pipe one;
    const Pipe two;
    int calls = 0;
    for (const auto* pipe : {&one, &two}) {
        loop.watch(pipe->out.get(), POLLIN, [&] {
            ++calls;
            loop.forget(one.out.get());
            loop.forget(two.out.get());
        });
    }
    loop.run_once(10ms);
    loop.run_once(0ms);
    CHECK(calls == 1);
}

TEST_CASE("nothing to wait for is waited for, no longer than asked")
{
    EventLoop loop;
    const auto start = std::chrono::steady_clock::now();
    loop.run_once(30ms);
    CHECK(std::chrono::steady_clock::now() - start >= 30ms);
}
