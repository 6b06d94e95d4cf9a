#include "dicom/inflate.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace dcmpipe;
using dicom::deflate;
using dicom::inflate;
using dicom::Inflated;

namespace {

constexpr std::uint64_t no_limit = 1ULL << 40U;

std::string some_text(std::size_t size)
{
    std::string text;
    while (text.size() < size) {
        text += "line " + std::to_string(text.size() * text.size() % 9973) + "\n";
    }
    text.resize(size);
    return text;
}

/// TMPDIR for one test.
class TemporaryFolder {
public:
    explicit TemporaryFolder(const std::filesystem::path& path) { ::setenv("TMPDIR", path.c_str(), 1); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { ::unsetenv("TMPDIR"); }
};

} // namespace

TEST_CASE("what was deflated inflates to the same bytes, at any size")
{
    for (const std::size_t size : {0U, 1U, 100U, 128U << 10U, (128U << 10U) + 1, 3U << 20U}) {
        CAPTURE(size);
        const auto text = some_text(size);
        const auto deflated = deflate(text);
        CHECK(deflated.size() % 2 == 0);
        CHECK(inflate(deflated, no_limit) == text);
        CHECK(Inflated{deflated, no_limit}.view() == text);
        CHECK(deflate(text) == deflated);
    }
}

TEST_CASE("a damaged or cut stream is refused")
{
    const auto deflated = deflate(some_text(10'000));
    CHECK_THROWS_AS(inflate(deflated.substr(0, deflated.size() / 2), no_limit), Error);
    CHECK_THROWS_AS(inflate("", no_limit), Error);
    CHECK_THROWS_AS(inflate("this is no deflate stream", no_limit), Error);
    CHECK_THROWS_AS((Inflated{"\xff\xff\xff\xff", no_limit}), Error);
}

TEST_CASE("bytes after the end of the stream are not looked at")
{
    CHECK(inflate(deflate("text") + "padding", no_limit) == "text");
}

TEST_CASE("a stream that grows past the limit is refused")
{
    const auto deflated = deflate(std::string(2U << 20U, 'x'));
    CHECK(inflate(deflated, 2U << 20U).size() == 2U << 20U);
    CHECK_THROWS_WITH(
        inflate(deflated, (2U << 20U) - 1), "the deflated data set has more than 2097151 bytes");
    CHECK_THROWS_AS((Inflated{deflated, 1000}), Error);
}

TEST_CASE("a large data set is kept in a file that has no name")
{
    const test::Scratch scratch;
    const TemporaryFolder here{scratch.path()};
    // Zeros in the middle and at the end cost no space, and are there all the same.
    const auto text =
        some_text(400'000) + std::string(600'000, '\0') + some_text(300'000) + std::string(500'000, '\0');
    const Inflated inflated{deflate(text), no_limit, 100'000};
    CHECK(inflated.view() == text);
    CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("where the temporary file cannot be written, that is said")
{
    const test::Scratch scratch;
    const TemporaryFolder here{scratch.path()};
    const auto deflated = deflate(some_text(400'000));
    std::filesystem::remove(scratch.path());
    try {
        const Inflated inflated{deflated, no_limit, 100'000};
        FAIL("it went through");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::Output);
        CHECK_THAT(error.what(), Catch::Matchers::StartsWith("cannot write a temporary file"));
    }
}
