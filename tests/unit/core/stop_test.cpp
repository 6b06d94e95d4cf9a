#include "core/stop.hpp"

#include "support/child.hpp"

#include <chrono>
#include <csignal>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using test::in_child;

namespace {

double seconds_of(const std::function<void()>& work)
{
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

TEST_CASE("the first signal asks, the second ends")
{
    for (const int number : {SIGINT, SIGTERM}) {
        CAPTURE(number);
        CHECK(in_child([=] {
                  stop::install();
                  if (stop::requested()) {
                      ::_exit(1);
                  }
                  ::raise(number);
                  ::_exit(stop::requested() && stop::signal_number() == number ? 0 : 2);
              }) == 0);
        CHECK(in_child([=] {
                  stop::install();
                  ::raise(number);
                  ::raise(number);
              }) == 128 + number);
    }
}

TEST_CASE("a process that was asked dies by the signal that asked; one that was not goes on")
{
    CHECK(in_child([] {
              stop::install();
              ::raise(SIGTERM);
              stop::die_by_signal();
          }) == 128 + SIGTERM);
    CHECK(in_child([] {
              stop::install();
              stop::die_by_signal();
          }) == 0);
}

TEST_CASE("in a child of ours signals only ever ask")
{
    CHECK(in_child([] {
              stop::install_in_child();
              ::raise(SIGTERM);
              ::raise(SIGINT);
              ::_exit(stop::requested() ? 0 : 1);
          }) == 0);
}

TEST_CASE("a closed pipe is an error of writing, not a death")
{
    CHECK(in_child([] {
              stop::install();
              int ends[2];
              if (::pipe(ends) != 0) {
                  ::_exit(9);
              }
              ::close(ends[0]);
              ::_exit(::write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 1);
          }) == 0);
}

TEST_CASE("sleep lasts as long as it should")
{
    bool slept = false;
    CHECK(seconds_of([&] { slept = stop::sleep(0.05); }) >= 0.05);
    CHECK(slept);
    CHECK(seconds_of([&] { slept = stop::sleep(0); }) < 1);
    // A time that has passed already is no time to wait.
    CHECK(seconds_of([&] { slept = stop::sleep(-3.5); }) < 1);
    CHECK(slept);
}

TEST_CASE("a signal ends a sleep")
{
    CHECK(seconds_of([] {
              CHECK(in_child([] {
                        stop::install();
                        ::signal(SIGALRM, [](int) { ::raise(SIGTERM); });
                        ::alarm(1);
                        ::_exit(stop::sleep(1e300) ? 1 : 0);
                    }) == 0);
          }) < 10);
}
