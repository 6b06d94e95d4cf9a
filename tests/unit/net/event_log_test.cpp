#include "net/event_log.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <sstream>

#include <fcntl.h>

#include <unistd.h>

using namespace dcmpipe;
using namespace dcmpipe::net;

namespace {

std::vector<nlohmann::json> lines_of(const std::string& text)
{
    std::vector<nlohmann::json> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
}

} // namespace

TEST_CASE("who does not read loses lines past a limit, is told how many, and holds up nobody")
{
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    const Fd reader{pipe[0]};
    Fd writer{pipe[1]};
    EventLog log{std::to_string(writer.get())};
    writer.reset();
    const Event event{.kind = EventKind::Failed, .reason = std::string(500, 'x')};
    std::size_t pushed = 0;
    while (log.lost() < 10) {
        log.push(event);
        REQUIRE(++pushed < 20'000);
    }
    std::string text;
    std::array<char, 65536> bytes{};
    const auto read_all = [&] {
        for (std::size_t lines = 0; lines + log.lost() < pushed + 1;) {
            log.flush();
            const auto size = ::read(reader.get(), bytes.data(), bytes.size());
            REQUIRE(size > 0);
            text.append(bytes.data(), static_cast<std::size_t>(size));
            lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        }
    };
    read_all();
    const auto lines = lines_of(text);
    REQUIRE(lines.size() == pushed - 10 + 1);
    CHECK(lines.front()["event"] == "failed");
    CHECK(lines.back()["event"] == "lost");
    CHECK(lines.back()["count"] == 10);
}

TEST_CASE("a file that cannot be opened is an error")
{
    const test::Scratch scratch;
    CHECK_THROWS_AS(EventLog{scratch.path() / "no" / "file"}, Error);
    CHECK_THROWS_AS(EventLog{"98"}, Error);
}
