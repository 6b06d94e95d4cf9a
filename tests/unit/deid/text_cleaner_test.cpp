#include "deid/text_cleaner.hpp"

#include "support/data_set.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;

namespace {

std::string clean(
    std::string_view text, std::string_view name = "Doe^Jane", const deid::Vocabulary& vocabulary = {})
{
    namespace tags = dicom::tags;
    const auto file = test::DataSet{}
                          .add(tags::SpecificCharacterSet, dicom::vr::CS, "ISO_IR 192")
                          .add(tags::SOPInstanceUID, dicom::vr::UI, "1.2.3.4.5.6.7.8")
                          .add(tags::AccessionNumber, dicom::vr::SH, "ACC-77")
                          .add(tags::InstitutionName, dicom::vr::LO, "Mercy Hospital")
                          .add(tags::PatientName, dicom::vr::PN, name)
                          .file();
    const auto instance = dicom::Instance::from_bytes(file, "x");
    return deid::cleaned(text, deid::Identities{}.of(instance, [](auto) { return false; }), vocabulary);
}

} // namespace

TEST_CASE("people, ids and places of the instance go, the rest stays")
{
    CHECK(clean("Head CT of Jane Doe") == "Head CT of");
    CHECK(clean("knee DOE left") == "knee left");
    CHECK(clean("CHEST acc-77 supine") == "CHEST supine");
    CHECK(clean("CHEST Mercy Hospital supine") == "CHEST supine");
    CHECK(clean("knee does liver") == "knee does liver");
    CHECK(clean("knee Luczynski left", "Łuczyński^X") == "knee left");
}

TEST_CASE("an eponym stays, a name beside it makes it a name")
{
    CHECK(clean("brain Parkinson protocol", "Parkinson^James") == "brain Parkinson protocol");
    CHECK(clean("brain James Parkinson", "Parkinson^James") == "brain");
    CHECK(clean("brain of Mr. Parkinson", "Parkinson^James") == "brain of");
}

TEST_CASE("modalities in capitals are no titles; titles take the name behind them")
{
    for (const auto* const text : {"MR Brain", "MRS Brain", "DR CHEST", "MS protocol", "TE 10 ms"}) {
        CHECK(clean(text) == text);
    }
    CHECK(clean("seen by Dr. Hochstetter today") == "seen by today");
    CHECK(clean("seen by dr. hochstetter today") == "seen by today");
    CHECK(clean("CHEST DR HOCHSTETTER") == "CHEST");
}

TEST_CASE("dates, ages above 89, numbers, addresses of mail, web and hosts go")
{
    for (const auto* const telling :
         {"1980-02-03", "3.2.1980", "03/02/80", "19800203", "3. Feb 1980", "Feb 3, 1980", "1980/2/3",
          "92 y/o", "101yo", "93-year-old", "+49 30 1234567", "MRN1234567", "x.y@example.org",
          "https://x.example/1", "10.1.2.3", "1.2.840.113619.2.55", "Name: Somebody Else"}) {
        CAPTURE(telling);
        CHECK(clean(std::string{"spine "} + telling) == "spine");
    }
    for (const auto* const harmless : {"52 y/o", "T2 1.5 mm", "b1000", "3-phase", "90 kVp", "flip 90"}) {
        CAPTURE(harmless);
        CHECK(clean(harmless) == harmless);
    }
}

TEST_CASE("with a vocabulary only its words stay")
{
    CHECK(clean("CHEST xyzzy supine", "Doe^Jane", {"chest", "supine"}) == "CHEST supine");
}
