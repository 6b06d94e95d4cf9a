#include "dicom/dictionary.hpp"

#include "dicom/tags.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe::dicom;

TEST_CASE("attributes are found by tag and by keyword")
{
    const auto* const entry = dictionary::find(tags::PatientName);
    REQUIRE(entry != nullptr);
    CHECK(entry->keyword == "PatientName");
    CHECK(entry->vr == vr::PN);
    CHECK(dictionary::find("PatientName") == entry);
    CHECK(dictionary::find("StudyInstanceUID")->tag == Tag{0x0020000d});
}

TEST_CASE("first and last of the table, and what lies beside")
{
    CHECK(dictionary::find(Tag{0xfffffffe}) == nullptr);
    CHECK(dictionary::find(Tag{0x00070001}) == nullptr);
    CHECK(dictionary::find(Tag{0x0010, 0x0011}) == nullptr);
    CHECK(dictionary::find("patientname") == nullptr);
    CHECK(dictionary::find("") == nullptr);
    CHECK(dictionary::find("PatientNames") == nullptr);
    CHECK(dictionary::find("RETIRED_OtherPatientIDs") == nullptr);
}

TEST_CASE("repeating groups stand for each of their groups")
{
    const auto* const overlay = dictionary::find(Tag{0x6000, 0x3000});
    REQUIRE(overlay != nullptr);
    CHECK(overlay->keyword == "OverlayData");
    CHECK(dictionary::find(Tag{0x601e, 0x3000}) == overlay);
    CHECK(dictionary::find(Tag{0x6001, 0x3000}) == nullptr);
    CHECK(dictionary::find(Tag{0x5002, 0x3000})->keyword == "CurveData");
    CHECK(dictionary::find("OverlayData") == overlay);
}

TEST_CASE("the VR that implicit VR implies")
{
    CHECK(dictionary::vr_of(tags::PatientID) == vr::LO);
    CHECK(dictionary::vr_of(tags::ReferencedStudySequence) == vr::SQ);
    CHECK(dictionary::vr_of(tags::PixelData) == vr::OW);
    CHECK(dictionary::vr_of(Tag{0x0008, 0x0000}) == vr::UL);
    CHECK(dictionary::vr_of(Tag{0x0029, 0x0010}) == vr::LO);
    CHECK(dictionary::vr_of(Tag{0x0029, 0x1010}) == vr::UN);
    CHECK(dictionary::vr_of(Tag{0x0010, 0x0011}) == vr::UN);
    CHECK(dictionary::vr_of(Tag{0x0028, 0x0120}) == vr::US);
}

TEST_CASE("names for people")
{
    CHECK(dictionary::name_of(tags::PatientName) == "PatientName");
    CHECK(dictionary::name_of(Tag{0x0019, 0x100c}) == "(0019,100C)");
}

TEST_CASE("a user's word becomes a tag")
{
    for (const auto* const word : {"PatientID", "(0010,0020)", "0010,0020", "00100020"}) {
        CAPTURE(word);
        CHECK(dictionary::tag_from(word) == tags::PatientID);
    }
    CHECK(dictionary::tag_from("(7fe0,00aB)") == Tag{0x7fe000ab});
    for (const auto* const word :
         {"", "0010", "001000200", "0010,002", "(0010,0020", "0010-0020", "PatientI", "0010002g", "+0100020",
          "-0100020", "0x100020", " 0100020"}) {
        CAPTURE(word);
        CHECK(dictionary::tag_from(word) == std::nullopt);
    }
}
