#include "dicom/encode.hpp"

#include "core/error.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "support/raw_elements.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::dicom;

namespace {

constexpr std::pair<Encoding, raw::Form> encodings[] = {
    {ExplicitLittleEndian, {}},
    {ImplicitLittleEndian, {.explicit_vr = false}},
    {ExplicitBigEndian, {.big_endian = true}}};

} // namespace

TEST_CASE("elements are written as PS3.5 section 7.1 says, in each encoding")
{
    for (const auto& [encoding, form] : encodings) {
        CAPTURE(encoding.explicit_vr, encoding.big_endian);
        CHECK(
            encode_element(tags::PatientID, vr::LO, "4711", encoding) ==
            raw::text(0x00100020, "LO", "4711", form));
        CHECK(encode_element(tags::PatientID, vr::LO, "", encoding) == raw::text(0x00100020, "LO", "", form));
        CHECK(
            encode_element(tags::PixelData, vr::OB, "abcd", encoding) ==
            raw::text(0x7fe00010, "OB", "abcd", form));
        CHECK(
            encode_element(Tag{0x00291010}, vr::UN, "abcd", encoding) ==
            raw::text(0x00291010, "UN", "abcd", form));
    }
}

TEST_CASE("values are padded to even length")
{
    CHECK(is_padded(vr::LO, "abc", "abc "));
    CHECK(is_padded(vr::UI, "1.2", {"1.2\0", 4}));
    CHECK(is_padded(vr::OB, "x", {"x\0", 2}));
    CHECK(is_padded(vr::LO, "even", "even"));
    CHECK(is_padded(vr::LO, "", ""));
    CHECK_FALSE(is_padded(vr::LO, "abc", "abc"));
    CHECK_FALSE(is_padded(vr::LO, "abc", {"abc\0", 4}));
    CHECK_FALSE(is_padded(vr::LO, "abc", "abd "));
    CHECK_FALSE(is_padded(vr::LO, "even", "even  "));
    CHECK_FALSE(is_padded(vr::LO, "even", "eve"));
}

TEST_CASE("the longest value of a 16-bit length, and the first that is too long")
{
    const std::string most(0xfffe, 'x');
    CHECK(
        encode_element(tags::PatientComments, vr::LT, most, ExplicitLittleEndian).substr(4, 4) ==
        "LT\xfe\xff");
    const auto longer = encode_element(tags::PatientComments, vr::LT, most + "y", ExplicitLittleEndian);
    CHECK(longer.substr(4, 8) == std::string_view{"UN\0\0\0\0\1\0", 8});
    CHECK(longer.size() == 12 + 0x10000);
    const auto big = encode_element(tags::PatientComments, vr::LT, most + "y", ExplicitBigEndian);
    CHECK(big.substr(4, 8) == std::string_view{"UN\0\0\0\1\0\0", 8});
    const auto implicit = encode_element(tags::PatientComments, vr::LT, most + "y", ImplicitLittleEndian);
    CHECK(implicit.substr(4, 4) == raw::u32(0x10000));
}

TEST_CASE("no header for 4 GiB or more")
{
    CHECK(
        encode_header(tags::PixelData, vr::OB, 0xfffffffe, ExplicitLittleEndian).substr(8) ==
        raw::u32(0xfffffffe));
    CHECK_THROWS_AS(encode_header(tags::PixelData, vr::OB, 0xffffffff, ExplicitLittleEndian), Error);
    CHECK_THROWS_AS(encode_header(tags::PixelData, vr::OB, 1ULL << 40U, ExplicitLittleEndian), Error);
}

TEST_CASE("items have a tag and a length and no VR")
{
    for (const auto& [encoding, form] : encodings) {
        CHECK(encode_item("abcd", encoding) == raw::item_of("abcd", form));
    }
}

TEST_CASE("numbers in both orders")
{
    CHECK(encode_u16(0x0102) == "\2\1");
    CHECK(encode_u16(0x0102, true) == "\1\2");
    CHECK(encode_u32(0x01020304) == "\4\3\2\1");
    CHECK(encode_u32(0x01020304, true) == "\1\2\3\4");
}

TEST_CASE("file meta information is whole and read back")
{
    FileMeta said{"1.2.3", "1.2.3.4", "1.2.840.10008.1.2.1", "", "", ""};
    said.source_aet = "SOURCE";
    const auto bytes = encode_file_meta(said);
    CHECK(bytes.substr(0, 128) == std::string(128, '\0'));
    const auto file = bytes + raw::start();
    const auto instance = Instance::from_bytes(file, "x");
    const auto& meta = instance.meta();
    CHECK(instance.data_set_offset() == bytes.size());
    CHECK(meta.text(tags::MediaStorageSOPClassUID) == "1.2.3");
    CHECK(meta.text(tags::MediaStorageSOPInstanceUID) == "1.2.3.4");
    CHECK(meta.text(tags::TransferSyntaxUID) == "1.2.840.10008.1.2.1");
    CHECK(meta.text(tags::SourceApplicationEntityTitle) == "SOURCE");
    CHECK(meta.find(tags::SendingApplicationEntityTitle) == ElementIndex::None);
    const auto& length = meta[meta.find(Tag{0x00020000})];
    CHECK(read_u32(meta.bytes(), length.value_offset(), false) == meta.bytes().size() - length.end_offset());
}
