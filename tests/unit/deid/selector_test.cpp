#include "deid/selector.hpp"

#include "core/error.hpp"
#include "support/data_set.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using deid::Selector;
using dicom::Tag;
namespace tags = dicom::tags;
namespace vr = dicom::vr;

namespace {

/// The paths (tags, from the top) of what a selector selects in one data set.
std::vector<std::uint32_t> selected(const Selector& selector)
{
    const auto bytes =
        test::DataSet{}
            .add(tags::StudyDescription, vr::LO, "a")
            .add_sequence(
                tags::ReferencedSeriesSequence, {test::DataSet{}
                                                     .add(tags::StudyDescription, vr::LO, "b")
                                                     .add(tags::SeriesInstanceUID, vr::UI, "1.2")})
            .add(Tag{0x0019, 0x0010}, vr::LO, "ACME")
            .add(Tag{0x0019, 0x0011}, vr::LO, "OTHER")
            .add(Tag{0x0019, 0x100c}, vr::LO, "c")
            .add(Tag{0x0019, 0x110c}, vr::LO, "d")
            .add(tags::SeriesInstanceUID, vr::UI, "1.3")
            .add(Tag{0x6002, 0x4000}, vr::LT, "e")
            .bytes();
    const auto index = dicom::ElementIndex::walk(bytes, dicom::ExplicitLittleEndian);
    const dicom::PrivateBlocks blocks{index};
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < index.size(); ++i) {
        if (!index[i].is_item() && selector.selects({index, i, blocks})) {
            found.push_back(index[i].tag.value + index[i].depth);
        }
    }
    return found;
}

using Values = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("a tag, by keyword or number, at every depth")
{
    for (const auto* const text : {"StudyDescription", "(0008,1030)", "00081030"}) {
        CAPTURE(text);
        CHECK(selected(Selector::parse(text)) == Values{0x00081030, 0x00081031});
        CHECK(Selector::parse(text).kind() == Selector::Kind::Tag);
    }
}

TEST_CASE("a path from the top, with and without its stars")
{
    for (const auto* const text :
         {"ReferencedSeriesSequence/*/SeriesInstanceUID", "ReferencedSeriesSequence/SeriesInstanceUID"}) {
        CHECK(selected(Selector::parse(text)) == Values{0x0020000f});
        CHECK(Selector::parse(text).kind() == Selector::Kind::Path);
    }
}

TEST_CASE("a private element by its creator, whatever its block")
{
    CHECK(selected(Selector::parse("0019,\"ACME\",0C")) == Values{0x0019100c});
    CHECK(selected(Selector::parse("(0019,\"OTHER\",0C)")) == Values{0x0019110c});
    CHECK(selected(Selector::parse("0019,\"NOBODY\",0C")).empty());
}

TEST_CASE("a mask, and a value representation")
{
    CHECK(selected(Selector::parse("(60xx,4000)")) == Values{0x60024000});
    CHECK(selected(Selector::of_vr("UI")) == Values{0x0020000f, 0x0020000e});
}

TEST_CASE("what selects nothing that exists is refused")
{
    for (const auto* const text :
         {"", "*", "PatientNaem", "(0010,zz10)", "0018,\"ACME\",0C", "0019,\"ACME\",100", "60xx"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(Selector::parse(text), Error);
    }
    CHECK_THROWS_AS(Selector::of_vr("QQ"), Error);
    CHECK_THROWS_AS(Selector::of_vr("L"), Error);
}
