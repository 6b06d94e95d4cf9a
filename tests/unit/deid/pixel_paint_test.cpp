#include "core/error.hpp"
#include "deid/pixels/frames.hpp"
#include "deid/pixels/paint.hpp"
#include "support/data_set.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::deid;
using dicom::ElementIndex;
namespace tags = dicom::tags;
namespace vr = dicom::vr;

namespace {

/// 4 x 3 pixels of three samples.
PixelFormat colour(bool by_plane)
{
    PixelFormat format;
    format.rows = 3;
    format.columns = 4;
    format.samples = 3;
    format.photometric = "RGB";
    format.by_plane = by_plane;
    format.black = {'a', 'b', 'c'};
    return format;
}

std::string fragment(std::string_view bytes)
{
    return dicom::encode_header(tags::Item, vr::None, bytes.size(), dicom::ExplicitLittleEndian) +
           std::string{bytes};
}

/// Encapsulated pixel data of these items, the offset table first.
std::string encapsulated(const std::vector<std::string>& items)
{
    std::string bytes{"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff", 12};
    for (const auto& item : items) {
        bytes += fragment(item);
    }
    return bytes +
           dicom::encode_header(tags::SequenceDelimitationItem, vr::None, 0, dicom::ExplicitLittleEndian);
}

} // namespace

TEST_CASE("overlapping and touching boxes give disjoint strokes in order")
{
    PixelFormat format;
    format.rows = 4;
    format.columns = 10;
    const auto strokes = strokes_of(format, {{2, 1, 3, 2}, {4, 1, 3, 1}, {0, 3, 10, 1}, {0, 2, 1, 1}});
    std::vector<std::pair<std::size_t, std::size_t>> spans;
    for (const auto& stroke : strokes) {
        spans.emplace_back(stroke.offset, stroke.length);
    }
    CHECK(spans == std::vector<std::pair<std::size_t, std::size_t>>{{12, 5}, {20, 1}, {22, 3}, {30, 10}});
}

TEST_CASE("every sample becomes its own black, by pixel and by plane, in every frame")
{
    const std::string value(2 * 36, '.');
    const std::vector<Box> boxes{{1, 0, 2, 1}};
    const auto row = [](std::string_view bytes) { return std::string{bytes}; };
    CHECK(
        painted(value, colour(false), boxes, false).str() ==
        row("...abcabc...........................") + row("...abcabc..........................."));
    CHECK(
        painted(value, colour(true), boxes, false).str() ==
        row(".aa..........bb..........cc.........") + row(".aa..........bb..........cc........."));
}

TEST_CASE("what stands behind the last frame is painted as one more")
{
    PixelFormat format;
    format.rows = 2;
    format.columns = 2;
    format.black = {'x'};
    CHECK(painted("....:...!.", format, {{1, 0, 1, 2}}, false).str() == ".x.x:x.x!x");
}

TEST_CASE("boxes end at the edges of the image")
{
    const auto inside = clipped({{2, 2, 65535, 65535}, {9, 0, 1, 1}, {0, 9, 1, 1}, {0, 0, 0, 5}}, 5, 4);
    REQUIRE(inside.size() == 1);
    CHECK(inside.front().width == 3);
    CHECK(inside.front().height == 2);
}

TEST_CASE("frames are told by their table, their number or their end markers, and not guessed")
{
    const auto frames = [](const std::vector<std::string>& items, unsigned count) {
        const auto bytes = encapsulated(items);
        const auto index = ElementIndex::walk(bytes, dicom::ExplicitLittleEndian);
        std::vector<std::string> found;
        for (const auto& frame : frames_of(index, index.find(tags::PixelData), count)) {
            std::string joined;
            for (const auto piece : frame) {
                joined += piece;
            }
            found.push_back(joined);
        }
        return found;
    };
    using Frames = std::vector<std::string>;
    const std::string table{"\0\0\0\0\x14\0\0\0", 8};
    const std::string end{"\xff\xd9"};
    CHECK(frames({table, "aa", "bb", "cc"}, 2) == Frames{"aabb", "cc"});
    CHECK(frames({"", "aa", "bb"}, 2) == Frames{"aa", "bb"});
    CHECK(frames({"", "aa", "bb"}, 1) == Frames{"aabb"});
    CHECK(frames({"", "aa", "bb" + end, "cc" + end}, 2) == Frames{"aabb" + end, "cc" + end});
    CHECK_THROWS_AS(frames({"", "aa", "bb", "cc"}, 2), Error);
    CHECK_THROWS_AS(frames({""}, 1), Error);
    // A table that points between fragments is no table.
    CHECK(frames({std::string{"\0\0\0\0\x05\0\0\0", 8}, "aa", "bb"}, 2) == Frames{"aa", "bb"});
}
