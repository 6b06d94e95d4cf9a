#include "dicom/private_dictionary.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe::dicom;

TEST_CASE("the VR of a private element goes by its creator, whatever block it has")
{
    CHECK(private_vr(Tag{0x2001, 0x105f}, "Philips Imaging DD 001") == vr::SQ);
    CHECK(private_vr(Tag{0x2001, 0xab5f}, "Philips Imaging DD 001") == vr::SQ);
    CHECK(private_vr(Tag{0x2001, 0x105f}, "Philips Imaging DD 002") != vr::SQ);
    CHECK(private_vr(Tag{0x2005, 0x100f}, "Philips MR Imaging DD 005") == vr::SQ); // not in DCMTK's
    CHECK(private_vr(Tag{0x0043, 0x1039}, "GEMS_PARM_01") == vr::IS);
    CHECK(private_vr(Tag{0x0043, 0x1039}, "NOBODY") == vr::UN);
    CHECK(private_vr(Tag{0x0043, 0x1039}, "") == vr::UN);
}
