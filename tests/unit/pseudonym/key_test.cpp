#include "pseudonym/key.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <fstream>
#include <numeric>

#include <catch2/catch.hpp>
#include <sys/stat.h>

using dcmpipe::Error;
using dcmpipe::ErrorKind;
using dcmpipe::pseudonym::Key;

namespace {

/// 00 01 ... 1f: the key of the published vectors.
Key vector_key()
{
    std::array<std::uint8_t, 32> bits;
    std::iota(bits.begin(), bits.end(), std::uint8_t{0});
    return Key{bits};
}

} // namespace

TEST_CASE("published vectors: UID, date shift, patient code")
{
    const auto key = vector_key();
    CHECK(
        key.uid("1.2.840.113619.2.55.3.604688119.971.1268043450.257") ==
        "2.25.250736397651819211856274698660765051413");
    CHECK(key.uid("1.2.3.4") == "2.25.284006092077007131308536335874352651989");
    CHECK(key.shift_days({"HOSP_A", "PID0001"}) == 3542);
    CHECK(key.patient_code({"HOSP_A", "PID0001"}) == "XAAIQHSBUCKH7XCJ");
}

TEST_CASE("padding of a UID does not make another one; DICOM's own UIDs stay")
{
    const auto key = vector_key();
    CHECK(key.uid(std::string_view{"1.2.3.4\0", 8}) == key.uid("1.2.3.4"));
    CHECK(key.uid("1.2.3.4 ") == key.uid("1.2.3.4"));
    CHECK(key.uid("1.2.840.10008.5.1.4.1.1.2") == "1.2.840.10008.5.1.4.1.1.2");
    CHECK(key.uid("").empty());
}

TEST_CASE("no two lists of inputs share a token, and no two domains")
{
    const auto key = vector_key();
    CHECK(key.token("uid", {"ab", "c"}) != key.token("uid", {"a", "bc"}));
    CHECK(key.token("uid", {"a", ""}) != key.token("uid", {"a"}));
    CHECK(key.token("uid", {"a"}) != key.token("date", {"a"}));
    CHECK(key.patient_code({"A", "1"}) != key.patient_code({"B", "1"}));
}

TEST_CASE("shifts are whole weeks within the range")
{
    const auto key = vector_key();
    for (int i = 0; i < 1000; ++i) {
        const auto days = key.shift_days({"", std::to_string(i)}, {.min_weeks = 2, .max_weeks = 4});
        REQUIRE(days % 7 == 0);
        REQUIRE(days >= 14);
        REQUIRE(days <= 28);
    }
}

TEST_CASE("a key file is for its owner alone, holds the key, and is never overwritten")
{
    const dcmpipe::test::Scratch scratch;
    const auto path = scratch / "link.key";
    const auto key = Key::generate();
    key.write_new(path);
    CHECK(Key::from(path).id() == key.id());
    CHECK_THROWS_AS(Key::generate().write_new(path), Error);
    CHECK(Key::from(path).id() == key.id());

    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
    ::chmod(path.c_str(), 0640);
    CHECK_THROWS_WITH(Key::from(path), Catch::Contains("others can read it"));
}

TEST_CASE("what is no key file is a usage error")
{
    const dcmpipe::test::Scratch scratch;
    const auto path = scratch / "x.key";
    for (const auto* const text : {"", "project-key: 00", "restore-key: 00", "project-key: zz"}) {
        CAPTURE(text);
        std::ofstream{path} << text;
        ::chmod(path.c_str(), 0600);
        CHECK_THROWS_WITH(Key::from(path), Catch::Contains("it holds no project-key"));
    }
    CHECK_THROWS_AS(Key::from(scratch / "missing.key"), Error);
}
