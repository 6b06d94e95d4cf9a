#include "retrieve/identifier.hpp"

#include "core/error.hpp"
#include "dicom/element_index.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe::retrieve;
using namespace dcmpipe::dicom::transfer_syntax;
using dcmpipe::dicom::ElementIndex;
namespace tags = dcmpipe::dicom::tags;

TEST_CASE("the character set is always named, empty for ASCII")
{
    for (const auto syntax : {ExplicitVRLittleEndian, ImplicitVRLittleEndian}) {
        const auto bytes = encode_identifier(
            {{tags::PatientID, "12"}, {tags::PatientName, ""}}, Level::Series, syntax, "ISO_IR 192");
        const auto index = ElementIndex::walk(bytes, encoding_of(syntax));
        CHECK(index.size() == 4);
        CHECK(index.find(tags::SpecificCharacterSet) != ElementIndex::None);
        CHECK(index.text(tags::SpecificCharacterSet).empty());
        CHECK(index.text(tags::QueryRetrieveLevel) == "SERIES");
        CHECK(index.text(tags::PatientID) == "12");
    }
}

TEST_CASE("values go out in the set that is named, and come back")
{
    for (const auto* const set : {"ISO_IR 192", "ISO_IR 100"}) {
        const auto bytes =
            encode_identifier({{tags::PatientName, "Jäger*"}}, Level::Study, ExplicitVRLittleEndian, set);
        const auto index = ElementIndex::walk(bytes, encoding_of(ExplicitVRLittleEndian));
        CHECK(index.text(tags::SpecificCharacterSet) == set);
        CHECK(value_of(decode_identifier(bytes, ExplicitVRLittleEndian), tags::PatientName) == "Jäger*");
    }
    CHECK_THROWS_AS(
        encode_identifier({{tags::PatientName, "Жук"}}, Level::Study, ExplicitVRLittleEndian, "ISO_IR 100"),
        dcmpipe::Error);
}

TEST_CASE("an answer that is no data set is the peer's fault")
{
    try {
        decode_identifier("no data set at all", ExplicitVRLittleEndian);
        FAIL("it must throw");
    } catch (const dcmpipe::Error& error) {
        CHECK(error.kind() == dcmpipe::ErrorKind::Peer);
    }
}
