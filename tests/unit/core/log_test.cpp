#include "core/log.hpp"

#include "core/error.hpp"
#include "support/captured.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <regex>

using namespace dcmpipe;
using test::captured;

namespace {

std::string logged(log::Settings settings)
{
    settings.program = "dpipe-x";
    return captured(STDERR_FILENO, [&] {
        log::configure(settings);
        log::error("cannot {} '{}'", "read", "x.dcm");
        log::warning("odd");
        log::info("fine");
        log::debug("detail");
    });
}

} // namespace

TEST_CASE("messages lead with the program and, where it is more than news, with how bad it is")
{
    CHECK(logged({}) == "dpipe-x: error: cannot read 'x.dcm'\ndpipe-x: warning: odd\ndpipe-x: fine\n");
}

TEST_CASE("the level drops what is less urgent")
{
    CHECK(logged({.program = "", .level = log::Level::Error}) == "dpipe-x: error: cannot read 'x.dcm'\n");
    CHECK(logged({.program = "", .level = log::Level::Debug}).ends_with("dpipe-x: debug: detail\n"));
    CHECK(log::enabled(log::Level::Debug));
}

TEST_CASE("levels by name")
{
    CHECK(log::level_from("error") == log::Level::Error);
    CHECK(log::level_from("warning") == log::Level::Warning);
    CHECK(log::level_from("info") == log::Level::Info);
    CHECK(log::level_from("debug") == log::Level::Debug);
    CHECK_FALSE(log::level_from("Debug"));
    CHECK_FALSE(log::level_from(""));
}

TEST_CASE("a message is one line, whatever a file name holds")
{
    log::configure({.program = "dpipe-x"});
    CHECK(captured(STDERR_FILENO, [] {
              log::info("'{}'", "a\nb\x1b[31m\x7f");
          }) == "dpipe-x: 'a\\x0ab\\x1b[31m\\x7f'\n");
}

TEST_CASE("messages as JSON")
{
    const auto text = logged({.program = "", .json = true});
    const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
    CHECK(first["program"] == "dpipe-x");
    CHECK(first["level"] == "error");
    CHECK(first["message"] == "cannot read 'x.dcm'");
    CHECK(
        std::regex_match(first["time"].get<std::string>(), std::regex{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"}));
    CHECK(captured(STDERR_FILENO, [] { log::info("{}", "\xff\n"); }).find("\\n\"}") != std::string::npos);
}

TEST_CASE("the log file is appended to, each line with the time")
{
    const test::Scratch scratch;
    const auto path = scratch / "log";
    std::ofstream{path} << "before\n";
    const auto shown = logged({.program = "", .file = path});
    std::ifstream file{path};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    CHECK(std::regex_match(
        text, std::regex{R"(before\n(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ dpipe-x: [^\n]+\n){3})"}));
    CHECK(std::count(shown.begin(), shown.end(), '\n') == 3);
    CHECK_THROWS_AS(log::configure({.program = "x", .file = scratch / "none" / "log"}), Error);
    log::configure({.program = "x"});
}

TEST_CASE("attribute values are hidden unless asked for")
{
    log::configure({.program = "x"});
    CHECK(log::phi("Müller") == "(hidden)");
    log::configure({.program = "x", .show_phi = true});
    CHECK(log::phi("Müller") == "Müller");
    log::configure({.program = "x"});
}
