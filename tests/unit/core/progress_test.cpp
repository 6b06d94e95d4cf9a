#include "core/progress.hpp"

#include "support/captured.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>

using namespace dcmpipe;
using test::captured;

TEST_CASE("where stderr is no terminal, nothing is shown unless asked")
{
    for (const auto mode : {Progress::Mode::Auto, Progress::Mode::Never}) {
        CHECK(captured(STDERR_FILENO, [&] {
                  Progress progress{mode, "dpipe-x"};
                  progress.expect(3);
                  progress.add(1, 1000);
                  progress.add(2, 2000);
              }).empty());
    }
}

TEST_CASE("a short run has no lines for a log")
{
    CHECK(captured(STDERR_FILENO, [] {
              Progress progress{Progress::Mode::Always, "dpipe-x"};
              progress.add(1, 1000);
          }).empty());
}

namespace {

/// What `work` shows on a terminal; nothing where none is to be had.
template <class Work>
std::string shown_on_terminal(Work work)
{
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0) {
        WARN("skipped: no pseudo-terminal to be had (a chroot without /dev/pts)");
        return {};
    }
    REQUIRE((::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0));
    const int shown_on = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
    const int saved = ::dup(STDERR_FILENO);
    ::dup2(shown_on, STDERR_FILENO);
    {
        Progress progress{Progress::Mode::Auto, "dpipe-x"};
        work(progress);
    }
    ::dup2(saved, STDERR_FILENO);
    std::string text;
    pollfd readable{terminal, POLLIN, 0};
    while (::poll(&readable, 1, 500) > 0) { // a terminal hands over what was written piece by piece
        std::array<char, 1000> piece{};
        const auto count = ::read(terminal, piece.data(), piece.size());
        REQUIRE(count > 0);
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
    for (const int fd : {terminal, shown_on, saved}) {
        ::close(fd);
    }
    return text;
}

} // namespace

TEST_CASE("on a terminal one line tells how far it is, and is gone at the end")
{
    const auto text = shown_on_terminal([](Progress& progress) {
        progress.expect(4);
        progress.add(1, 500'000);
        std::this_thread::sleep_for(std::chrono::milliseconds{550});
        progress.add(1, 500'000);
    });
    if (!text.empty()) {
        CHECK_THAT(text, Catch::Matchers::StartsWith("\r\x1b[Kdpipe-x: 2 of 4, 1.0 MB, "));
        CHECK_THAT(text, Catch::Matchers::EndsWith(" s left\r\x1b[K"));
    }
}

TEST_CASE("the time left is known within one large item, too")
{
    const auto text = shown_on_terminal([](Progress& progress) {
        progress.add(1, 1'000'000);
        progress.expect_bytes(3'000'000);
        std::this_thread::sleep_for(std::chrono::milliseconds{550});
        progress.add(0, 1'000'000); // half of what there will be
    });
    if (!text.empty()) {
        CHECK_THAT(text, Catch::Matchers::StartsWith("\r\x1b[Kdpipe-x: 1, 2.0 MB, "));
        CHECK_THAT(text, Catch::Matchers::EndsWith(", 1 s left\r\x1b[K"));
    }
}

TEST_CASE("many threads may count")
{
    CHECK(captured(STDERR_FILENO, [] {
              Progress progress{Progress::Mode::Always, "dpipe-x"};
              std::vector<std::jthread> threads;
              for (int i = 0; i < 4; ++i) {
                  threads.emplace_back([&] {
                      for (int j = 0; j < 10'000; ++j) {
                          progress.add(1, 10);
                      }
                  });
              }
          }).empty());
}
