#include "pseudonym/key_file.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "support/scratch.hpp"

#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dcmpipe;
using namespace dcmpipe::pseudonym;

namespace {

const std::string bits(32, '\x5a');

ErrorKind kind_of(const KeySource& source)
{
    try {
        read_key("restore-key", source);
    } catch (const Error& error) {
        CHECK(std::string{error.what()}.find("5a5a") == std::string::npos);
        return error.kind();
    }
    FAIL("nothing was thrown");
    return {};
}

} // namespace

TEST_CASE("a key is written for its owner alone, never over another, and read back")
{
    const test::Scratch scratch;
    const auto file = scratch / "a.key";
    write_key("restore-key", "what it is", bits, file, {});
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    CHECK(read_key("restore-key", KeySource{file}) == bits);
    CHECK_THROWS_AS(write_key("restore-key", "", bits, file, {}), Error);
    CHECK(kind_of(KeySource{scratch / "none"}) == ErrorKind::Usage);
    CHECK_THROWS_AS(read_key("project-key", KeySource{file}), Error); // another kind of key
    ::chmod(file.c_str(), 0604);
    CHECK(kind_of(KeySource{file}) == ErrorKind::Refused);
}

TEST_CASE("under a passphrase only the passphrase opens it")
{
    const test::Scratch scratch;
    const auto file = scratch / "a.key";
    write_key("restore-key", "what it is", bits, file, "correct horse");
    CHECK(read_text_file(file).find("5a5a5a") == std::string::npos);
    CHECK(read_key("restore-key", {file.string(), "correct horse"}) == bits);
    CHECK(kind_of({file.string(), "wrong"}) == ErrorKind::Refused);
    CHECK(kind_of(KeySource{file}) == ErrorKind::Usage);
    auto text = read_text_file(file);
    text[text.size() - 3] = text[text.size() - 3] == '0' ? '1' : '0';
    std::ofstream{file} << text;
    CHECK(kind_of({file.string(), "correct horse"}) == ErrorKind::Refused);
}

TEST_CASE("a key comes from a descriptor or the environment as well")
{
    const test::Scratch scratch;
    const auto file = scratch / "a.key";
    write_key("restore-key", "what it is", bits, file, {});
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    CHECK(read_key("restore-key", fmt::format("fd:{}", fd)) == bits);
    ::close(fd);
    CHECK(kind_of(fmt::format("fd:{}", fd)) == ErrorKind::Usage);
    CHECK(kind_of(std::string{"fd:x"}) == ErrorKind::Usage);
    ::setenv("DPIPE_TEST_KEY", read_text_file(file).c_str(), 1);
    CHECK(read_key("restore-key", std::string{"env:DPIPE_TEST_KEY"}) == bits);
    ::unsetenv("DPIPE_TEST_KEY");
    CHECK(kind_of(std::string{"env:DPIPE_TEST_KEY"}) == ErrorKind::Usage);
}

TEST_CASE("text that holds no key of the kind is refused")
{
    const test::Scratch scratch;
    for (const auto* const text :
         {"", "restore-key: ", "restore-key: 00ff", "restore-key: zz", "a comment restore-key: 00"}) {
        const auto file = scratch / "bad.key";
        std::ofstream{file} << text << '\n';
        ::chmod(file.c_str(), 0600);
        CAPTURE(text);
        CHECK(kind_of(KeySource{file}) == ErrorKind::Usage);
    }
}
