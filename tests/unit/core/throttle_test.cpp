#include "core/throttle.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>
#include <vector>

using dcmpipe::Throttle;
using Clock = std::chrono::steady_clock;

TEST_CASE("a rate holds over all who share it")
{
    Throttle throttle{100'000};
    const auto start = Clock::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int piece = 0; piece < 5; ++piece) {
                throttle.spend(1000);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const std::chrono::duration<double> took = Clock::now() - start;
    CHECK(took.count() >= 0.18); // the last piece starts when 19,000 bytes have gone
}
