#include "core/rope.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <thread>

#include <fcntl.h>

using namespace dcmpipe;

namespace {

std::string content(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::string written(const Rope& rope, const FileBytes* source, const std::filesystem::path& path)
{
    const Fd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600)};
    rope.write_to(fd.get(), source, path);
    return content(path);
}

} // namespace

TEST_CASE("a rope is its pieces in order, borrowed and owned")
{
    const std::string borrowed = "borrowed ";
    Rope rope;
    rope.borrow(borrowed);
    rope.own("owned ");
    rope.borrow({});
    rope.own("");
    rope.borrow(borrowed);
    CHECK(rope.size() == 24);
    CHECK(rope.pieces().size() == 3);
    CHECK(rope.pieces()[0].data() == borrowed.data());
    CHECK(rope.str() == "borrowed owned borrowed ");
}

TEST_CASE("what a rope owns stays where it is when the rope grows, moves or joins another")
{
    Rope rope;
    for (int i = 0; i < 100; ++i) {
        rope.own("piece " + std::to_string(i) + " ");
    }
    const auto text = rope.str();
    Rope whole;
    whole.own("start ");
    whole.append(std::move(rope));
    const Rope moved{std::move(whole)};
    CHECK(moved.str() == "start " + text);
    CHECK(moved.size() == moved.str().size());
}

TEST_CASE("a rope compares with bytes")
{
    Rope rope;
    rope.own("ab");
    rope.own("cd");
    CHECK(rope.equals("abcd"));
    CHECK_FALSE(rope.equals("abc"));
    CHECK_FALSE(rope.equals("abcde"));
    CHECK_FALSE(rope.equals("abxd"));
    CHECK(Rope{}.equals(""));
}

TEST_CASE("many small pieces are written in order")
{
    const test::Scratch scratch;
    Rope rope;
    for (int i = 0; i < 1000; ++i) {
        rope.own(std::to_string(i) + ",");
    }
    CHECK(written(rope, nullptr, scratch / "out") == rope.str());
    CHECK(written({}, nullptr, scratch / "out").empty());
}

TEST_CASE("large pieces of a file go from file to file, in place among the others")
{
    const test::Scratch scratch;
    std::string bytes;
    for (int i = 0; bytes.size() < 600'000; ++i) {
        bytes += std::to_string(i);
    }
    std::ofstream{scratch / "in", std::ios::binary} << bytes;
    const auto source = FileBytes::open(scratch / "in");
    Rope rope;
    rope.own("head ");
    rope.borrow(source.view().substr(7, 300'000));
    rope.own(" middle ");
    rope.borrow(source.view().substr(0, 100));
    rope.borrow(source.view().substr(200'000));
    const auto expected =
        "head " + bytes.substr(7, 300'000) + " middle " + bytes.substr(0, 100) + bytes.substr(200'000);
    CHECK(written(rope, &source, scratch / "out") == expected);
    CHECK(written(rope, nullptr, scratch / "out") == expected);
}

TEST_CASE("a rope goes into a pipe as well, where nothing can be copied inside the kernel")
{
    const test::Scratch scratch;
    const std::string bytes(500'000, 'x');
    std::ofstream{scratch / "in", std::ios::binary} << bytes;
    const auto source = FileBytes::open(scratch / "in");
    Rope rope;
    rope.borrow(source.view());
    rope.own("end");
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    std::string got;
    std::jthread reader{[&] {
        char room[65536];
        for (auto count = ::read(ends[0], room, sizeof room); count > 0;
             count = ::read(ends[0], room, sizeof room)) {
            got.append(room, static_cast<std::size_t>(count));
        }
    }};
    rope.write_to(ends[1], &source, "pipe");
    ::close(ends[1]);
    reader.join();
    ::close(ends[0]);
    CHECK(got == bytes + "end");
}

TEST_CASE("a rope that cannot be written says where")
{
    Rope rope;
    rope.own("x");
    CHECK_THROWS_WITH(
        rope.write_to(-1, nullptr, "out.dcm"), Catch::Matchers::Contains("cannot write 'out.dcm'"));
}
