#include "deid/publisher.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>

using namespace dcmpipe;

namespace {

/// An outcome that needs no file: its input could not be read.
deid::Outcome failed(std::uint64_t ticket)
{
    deid::Outcome outcome;
    outcome.input = std::to_string(ticket);
    outcome.error = Error{ErrorKind::Input, "cannot read"};
    return outcome;
}

} // namespace

TEST_CASE("outcomes are published in the order of their tickets")
{
    std::vector<std::string> inputs;
    deid::BatchEnds ends;
    ends.fail = [&](const auto& input, const Error&, Status) { inputs.push_back(input.string()); };
    deid::Publisher publisher{{}, {}, ends};
    for (const std::uint64_t ticket : {2, 0, 3, 1}) {
        publisher.add(ticket, failed(ticket));
    }
    publisher.flush();
    CHECK(inputs == std::vector<std::string>{"0", "1", "2", "3"});
}

TEST_CASE("who is far ahead of a slow file waits: each outcome holds a file open")
{
    constexpr std::uint64_t many = 400;
    deid::BatchEnds ends;
    std::uint64_t published = 0;
    ends.fail = [&](const auto&, const Error&, Status) { ++published; };
    deid::Publisher publisher{{}, {}, ends};
    std::atomic<std::uint64_t> added{0};
    std::jthread fast{[&] {
        for (std::uint64_t ticket = 1; ticket < many; ++ticket) {
            publisher.add(ticket, failed(ticket));
            ++added;
        }
    }};
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    CHECK(added < many / 2);
    publisher.add(0, failed(0));
    fast.join();
    publisher.flush();
    CHECK(published == many);
}
