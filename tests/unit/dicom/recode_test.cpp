#include "dicom/recode.hpp"

#include "core/error.hpp"
#include "support/data_set.hpp"
#include "support/raw_elements.hpp"

#include <algorithm>
#include <array>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::dicom;
using test::DataSet;

namespace {

constexpr std::array encodings{ImplicitLittleEndian, ExplicitLittleEndian, ExplicitBigEndian};

/// Numbers of every width, text, and sequences in sequences; values in the byte order of the encoding.
DataSet sample(Encoding encoding)
{
    const auto turned = [&](std::string bytes) {
        if (encoding.big_endian) {
            std::reverse(bytes.begin(), bytes.end());
        }
        return bytes;
    };
    const auto twice = [](const std::string& one, const std::string& other) { return one + other; };
    const DataSet inner =
        DataSet{encoding}
            .add(tags::FrameIncrementPointer, vr::AT, twice(turned("\x18\x01"), turned("\x63\x10")))
            .add(tags::PatientName, vr::PN, "Doe^Jane");
    DataSet data_set{encoding};
    data_set.add(tags::SpecificCharacterSet, vr::CS, "ISO_IR 192");
    data_set.add_sequence(
        Tag{0x0040, 0xa730}, {DataSet{encoding}.add_sequence(Tag{0x0040, 0xa730}, {inner}), inner});
    data_set.add(tags::Rows, vr::US, turned("\x01\x02"));
    data_set.add(Tag{0x0018, 0x6020}, vr::SL, twice(turned("abcd"), turned("efgh")));
    data_set.add(Tag{0x0018, 0x9087}, vr::FD, turned("12345678"));
    data_set.add(tags::PixelData, vr::OW, twice(turned("pq"), turned("rs")));
    return data_set;
}

std::string recoded(const std::string& bytes, Encoding from, Encoding to)
{
    const auto index = ElementIndex::walk(bytes, from);
    std::string result;
    for (std::uint32_t i = 0; i < index.size(); i = index[i].end) {
        result += recode(index, i, to);
    }
    return result;
}

} // namespace

TEST_CASE("an element in one encoding is the same element in another")
{
    for (const auto from : encodings) {
        for (const auto to : encodings) {
            CAPTURE(from.explicit_vr, from.big_endian, to.explicit_vr, to.big_endian);
            CHECK(recoded(sample(from).bytes(), from, to) == sample(to).bytes());
        }
    }
}

TEST_CASE("there and back again is the same, undefined lengths too")
{
    const raw::Form open{.defined_lengths = false};
    const auto item = raw::item_of(raw::text(0x00080050, "SH", "ACC1", open), open);
    const auto bytes = raw::sequence(0x00081110, item, open);
    for (const auto way : encodings) {
        CAPTURE(way.explicit_vr, way.big_endian);
        const auto there = recoded(bytes, ExplicitLittleEndian, way);
        const auto index = ElementIndex::walk(there, way);
        CHECK(index[0].undefined_length);
        CHECK(recoded(there, way, ExplicitLittleEndian) == bytes);
    }
}

TEST_CASE("what the dictionary does not know becomes UN")
{
    const auto bytes = DataSet{ImplicitLittleEndian}.add(Tag{0x0009, 0x1001}, vr::UN, "????").bytes();
    const auto index_bytes = recoded(bytes, ImplicitLittleEndian, ExplicitLittleEndian);
    const auto index = ElementIndex::walk(index_bytes, ExplicitLittleEndian);
    REQUIRE(index.size() == 1);
    CHECK(index[0].vr == vr::UN);
    CHECK(index.value(index[0]) == "????");
}

TEST_CASE("encapsulated pixel data goes as it is, and only where it may stand")
{
    const auto bytes = raw::header(raw::pixel_data, "OB", raw::undefined) + raw::header(raw::item, 0) +
                       raw::header(raw::item, 4) + "JPEG" + raw::header(raw::sequence_end, 0);
    CHECK(recoded(bytes, ExplicitLittleEndian, ExplicitLittleEndian) == bytes);
    CHECK_THROWS_AS(recoded(bytes, ExplicitLittleEndian, ImplicitLittleEndian), Error);
    CHECK_THROWS_AS(recoded(bytes, ExplicitLittleEndian, ExplicitBigEndian), Error);
}

TEST_CASE("a value too long for its header becomes UN (PS3.5 6.2.2), whole")
{
    const std::string text(70'000, 'x');
    const auto bytes = DataSet{ImplicitLittleEndian}.add(tags::ImageComments, vr::LT, text).bytes();
    const auto explicit_bytes = recoded(bytes, ImplicitLittleEndian, ExplicitLittleEndian);
    const auto index = ElementIndex::walk(explicit_bytes, ExplicitLittleEndian);
    REQUIRE(index.size() == 1);
    CHECK(index[0].vr == vr::UN);
    CHECK(index.value(index[0]) == text);
}
