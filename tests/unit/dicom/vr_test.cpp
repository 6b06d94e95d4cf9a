#include "dicom/vr.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace dcmpipe::dicom;

namespace {

/// Written out from PS3.5 Table 6.2-1 and Table 7.1-2, apart from how the header makes its table.
constexpr std::string_view every[] = {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT",
                                      "OB", "OD", "OF", "OL", "OV", "OW", "PN", "SH", "SL", "SQ", "SS", "ST",
                                      "SV", "TM", "UC", "UI", "UL", "UN", "UR", "US", "UT", "UV"};
constexpr std::string_view with_long_length = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";
constexpr std::string_view in_character_set = "LO LT PN SH ST UC UT";

Vr vr_of(std::string_view name)
{
    return make_vr(name[0], name[1]);
}

} // namespace

TEST_CASE("the VRs of the standard and nothing else")
{
    for (const auto name : every) {
        CAPTURE(name);
        CHECK(is_standard(vr_of(name)));
        CHECK(to_string(vr_of(name)) == name);
        const bool is_long = with_long_length.find(name) != std::string_view::npos;
        CHECK(has_short_length(vr_of(name)) == !is_long);
        const bool in_set = in_character_set.find(name) != std::string_view::npos;
        CHECK(traits(vr_of(name)).character_set == in_set);
    }
    std::size_t standard = 0;
    for (unsigned value = 0; value <= 0xffff; ++value) {
        standard += is_standard(static_cast<Vr>(value)) ? 1U : 0U;
    }
    CHECK(standard == std::size(every));
}

TEST_CASE("what is no VR has the traits of nothing")
{
    for (const Vr odd :
         {vr::None, make_vr('?', '?'), make_vr('Z', 'Z'), make_vr('l', 'o'), make_vr('\xff', '\xff')}) {
        CHECK_FALSE(is_standard(odd));
        CHECK_FALSE(has_short_length(odd));
        CHECK_FALSE(is_text(odd));
    }
    CHECK(to_string(vr::None).empty());
}

TEST_CASE("values are padded as PS3.5 section 6.2 says")
{
    CHECK(padding(vr::LO) == ' ');
    CHECK(padding(vr::PN) == ' ');
    CHECK(padding(vr::DS) == ' ');
    CHECK(padding(vr::UI) == '\0');
    CHECK(padding(vr::OB) == '\0');
    CHECK(padding(vr::UN) == '\0');
}

TEST_CASE("the unit that big endian turns round")
{
    CHECK(traits(vr::OB).unit == 1);
    CHECK(traits(vr::LO).unit == 1);
    for (const Vr two : {vr::US, vr::SS, vr::OW, vr::AT}) {
        CHECK(traits(two).unit == 2);
    }
    for (const Vr four : {vr::UL, vr::SL, vr::FL, vr::OF, vr::OL}) {
        CHECK(traits(four).unit == 4);
    }
    for (const Vr eight : {vr::FD, vr::OD, vr::OV, vr::SV, vr::UV}) {
        CHECK(traits(eight).unit == 8);
    }
}
