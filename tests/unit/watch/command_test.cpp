#include "watch/command.hpp"

#include "core/error.hpp"

#include <catch2/catch.hpp>

using dcmpipe::Error;
using dcmpipe::watch::Command;
using Words = std::vector<std::string>;

TEST_CASE("words are split as a shell splits them, and nothing else happens")
{
    const auto words = [](const char* text) { return Command{text}.words_for("/in/a b"); };
    CHECK(words("echo {}") == Words{"echo", "/in/a b"});
    CHECK(words("  echo \t -o  out/ {}/x ") == Words{"echo", "-o", "out/", "/in/a b/x"});
    CHECK(
        words("echo '{} $HOME `x`' \"a 'b' \\\"c\\\"\"") ==
        Words{"echo", "/in/a b $HOME `x`", "a 'b' \"c\""});
    CHECK(words("echo a\\ b '' ''x {}{}") == Words{"echo", "a b", "", "x", "/in/a b/in/a b"});
    CHECK(words("echo '\\' {};rm") == Words{"echo", "\\", "/in/a b;rm"});
}

TEST_CASE("a folder named like the placeholder ends nothing but itself")
{
    CHECK(Command{"echo {}"}.words_for("/{}/{}") == Words{"echo", "/{}/{}"});
}

TEST_CASE("a command that cannot work is refused before anything is watched")
{
    for (const auto* const text :
         {"", "  ", "echo", "{} echo", "echo '{}", "echo \"{}", "/no/such/program {}", "no-such-program {}",
          "/etc {}"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(Command{text}, Error);
    }
}

TEST_CASE("the exit code is the program's, or 128 and its signal")
{
    CHECK(Command{"sh -c 'exit 7' {}"}.run("x", 2) == 7);
    CHECK(Command{"true {}"}.run("x", 2) == 0);
    CHECK(Command{"sh -c 'kill -9 $$' {}"}.run("x", 2) == 137);
}
