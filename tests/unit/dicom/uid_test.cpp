#include "dicom/uid.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe::dicom;

TEST_CASE("padding does not belong to a UID")
{
    CHECK(uid::trimmed(std::string_view{"1.2.3\0", 6}) == "1.2.3");
    CHECK(uid::trimmed("1.2.3 ") == "1.2.3");
    CHECK(uid::trimmed(std::string_view{"1.2.3 \0\0", 8}) == "1.2.3");
    CHECK(uid::trimmed("").empty());
    CHECK(uid::trimmed("  ").empty());
}

TEST_CASE("what is a UID")
{
    for (const auto* const good : {"1", "1.2", "1.2.840.10008.1.2", "2.25.0", "1.02.3"}) {
        CAPTURE(good);
        CHECK(uid::is_valid(good));
    }
    CHECK(uid::is_valid(std::string(64, '1')));
    for (const auto* const bad : {"", ".", "1.", ".1", "1..2", "1.2 ", "1.a", "1/2", "1.2\n", "../1"}) {
        CAPTURE(bad);
        CHECK_FALSE(uid::is_valid(bad));
    }
    CHECK_FALSE(uid::is_valid(std::string(65, '1')));
}

TEST_CASE("UIDs that DICOM itself registers")
{
    CHECK(uid::is_well_known("1.2.840.10008.1.2.1"));
    CHECK_FALSE(uid::is_well_known("1.2.840.10008"));
    CHECK_FALSE(uid::is_well_known("1.2.840.100081.2"));
    CHECK_FALSE(uid::is_well_known(""));
}

TEST_CASE("a UUID as a UID (PS3.5 section B.2)")
{
    // The example of PS3.5: f81d4fae-7dec-11d0-a765-00a0c91e6bf6.
    CHECK(
        uid::from_uuid(
            {0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec, 0x11, 0xd0, 0xa7, 0x65, 0x00, 0xa0, 0xc9, 0x1e, 0x6b,
             0xf6}) == "2.25.329800735698586629295641978511506172918");
    CHECK(uid::from_uuid({}) == "2.25.0");
    std::array<std::uint8_t, 16> ones;
    ones.fill(0xff);
    CHECK(uid::from_uuid(ones) == "2.25.340282366920938463463374607431768211455");
    CHECK(uid::is_valid(uid::from_uuid(ones)));
    CHECK(uid::is_valid(uid::Implementation));
    CHECK(uid::ImplementationVersionName.size() <= 16);
}
