#include "core/file_bytes.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>

using namespace dcmpipe;

namespace {

std::string some_bytes(std::size_t size)
{
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) {
        bytes += static_cast<char>(i * 31 % 251);
    }
    return bytes;
}

void write(const std::filesystem::path& path, std::string_view bytes)
{
    std::ofstream{path, std::ios::binary}.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

} // namespace

TEST_CASE("small files are read, large ones mapped: the bytes are the same")
{
    const test::Scratch scratch;
    for (const std::size_t size : {0U, 1U, 65'535U, 65'536U, 65'537U, 1'000'000U}) {
        CAPTURE(size);
        const auto bytes = some_bytes(size);
        write(scratch / "a", bytes);
        const auto file = FileBytes::open(scratch / "a");
        CHECK(file.view() == bytes);
        CHECK(file.fd() >= 0);
    }
}

TEST_CASE("moving keeps the view")
{
    const test::Scratch scratch;
    for (const std::size_t size : {100U, 100'000U}) {
        const auto bytes = some_bytes(size);
        write(scratch / "a", bytes);
        auto first = FileBytes::open(scratch / "a");
        const auto view = first.view();
        const FileBytes second{std::move(first)};
        CHECK(second.view().data() == view.data());
        CHECK(second.view() == bytes);
    }
}

TEST_CASE("a part knows where in the file it lies")
{
    const test::Scratch scratch;
    write(scratch / "a", some_bytes(1000));
    const auto file = FileBytes::open(scratch / "a");
    CHECK(file.offset_of(file.view()) == 0);
    CHECK(file.offset_of(file.view().substr(10, 5)) == 10);
    CHECK(file.offset_of(file.view().substr(1000)) == 1000);
    const std::string elsewhere = "elsewhere";
    CHECK_FALSE(file.offset_of(elsewhere));
}

TEST_CASE("a file that is open already is read from its start")
{
    const test::Scratch scratch;
    write(scratch / "a", "0123456789");
    Fd fd{::open((scratch / "a").c_str(), O_RDONLY)};
    REQUIRE(::lseek(fd.get(), 5, SEEK_SET) == 5);
    CHECK(FileBytes::of(std::move(fd), "a").view() == "0123456789");
    CHECK_THROWS_AS(FileBytes::of(Fd{}, "a"), Error);
}

TEST_CASE("what is no readable file is refused, and does not hang")
{
    const test::Scratch scratch;
    REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
    CHECK_THROWS_WITH(FileBytes::open(scratch / "fifo"), Catch::Matchers::EndsWith("not a regular file"));
    CHECK_THROWS_WITH(FileBytes::open(scratch.path()), Catch::Matchers::EndsWith("not a regular file"));
    CHECK_THROWS_WITH(FileBytes::open("/dev/null"), Catch::Matchers::EndsWith("not a regular file"));
    CHECK_THROWS_WITH(
        FileBytes::open(scratch / "none"),
        "cannot read '" + (scratch / "none").string() + "': No such file or directory");
}
