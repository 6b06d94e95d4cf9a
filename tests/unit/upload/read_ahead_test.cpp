#include "upload/read_ahead.hpp"

#include "core/error.hpp"
#include "core/fd.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <fstream>

#include <fcntl.h>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using upload::ReadAhead;

namespace {

/// A file of that many bytes, all kinds of them.
Fd file_of(const std::filesystem::path& path, std::size_t size)
{
    std::string bytes(size, '\0');
    std::generate(bytes.begin(), bytes.end(), [n = 0U]() mutable { return static_cast<char>(n++ % 251); });
    std::ofstream{path, std::ios::binary} << bytes;
    return Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
}

} // namespace

TEST_CASE("a file is read ahead whole and in order, with its digest")
{
    const test::Scratch scratch;
    for (const std::size_t size : {1, 70'000, 512 * 1024, 5'000'001}) {
        const auto fd = file_of(scratch / "file", size);
        for (const std::size_t step : {1'000'000, 65'536, 777}) {
            CAPTURE(size, step);
            ReadAhead ahead{fd.get(), size, "file"};
            std::string taken;
            std::string buffer(step, '\0');
            while (const auto count = ahead.take(buffer.data(), step)) {
                taken.append(buffer, 0, count);
            }
            std::ifstream file{scratch / "file", std::ios::binary};
            CHECK(taken == std::string{std::istreambuf_iterator<char>{file}, {}});
            CHECK(ahead.sha256() == sha256_of(fd.get(), "file"));
        }
    }
}

TEST_CASE("reading ahead ends with an error where the file does before its time, or is given up")
{
    const test::Scratch scratch;
    const auto fd = file_of(scratch / "file", 3'000'000);
    std::string buffer(1'000'000, '\0');
    ReadAhead longer{fd.get(), 4'000'000, "file"};
    std::size_t taken = 0;
    CHECK_THROWS_AS(
        [&] {
            while (const auto count = longer.take(buffer.data(), buffer.size())) {
                taken += count;
            }
        }(),
        Error);
    CHECK(taken == 3'000'000);
    ReadAhead given_up{fd.get(), 3'000'000, "file"};
    CHECK(given_up.take(buffer.data(), 10) == 10);
}
