#include "dicom/tag.hpp"

#include "dicom/tags.hpp"

#include <catch2/catch.hpp>

using dcmpipe::dicom::Tag;
namespace tags = dcmpipe::dicom::tags;

TEST_CASE("a tag is its group and element number in one")
{
    constexpr Tag tag{0x0010, 0x0020};
    STATIC_REQUIRE(tag == Tag{0x00100020});
    CHECK(tag.group() == 0x0010);
    CHECK(tag.element() == 0x0020);
    CHECK(tag == tags::PatientID);
    CHECK(Tag{} == Tag{0, 0});
}

TEST_CASE("tags are ordered as in a data set")
{
    CHECK(Tag{0x0008, 0xffff} < Tag{0x0010, 0x0000});
    CHECK(Tag{0x0010, 0x0010} < Tag{0x0010, 0x0020});
    CHECK(tags::PixelData < tags::Item);
}

TEST_CASE("private tags and the blocks they stand in")
{
    CHECK(Tag{0x0029, 0x1010}.is_private());
    CHECK_FALSE(Tag{0x0028, 0x1010}.is_private());
    CHECK(Tag{0x0029, 0x0010}.is_private_creator());
    CHECK(Tag{0x0029, 0x00ff}.is_private_creator());
    CHECK_FALSE(Tag{0x0029, 0x000f}.is_private_creator());
    CHECK_FALSE(Tag{0x0029, 0x0100}.is_private_creator());
    CHECK_FALSE(Tag{0x0028, 0x0010}.is_private_creator());
    CHECK(Tag{0x0008, 0x0000}.is_group_length());
    CHECK_FALSE(Tag{0x0008, 0x0001}.is_group_length());
}

TEST_CASE("a tag is written in hexadecimal digits, capitals")
{
    CHECK(fmt::format("{}", Tag{0x7fe0, 0x00ab}) == "(7FE0,00AB)");
}
