#include "deid/identity.hpp"

#include "deid/subject.hpp"
#include "support/data_set.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace dcmpipe;
namespace tags = dicom::tags;
namespace vr = dicom::vr;

namespace {

/// What an instance with these elements says of its people, where the elements `staying` stay.
bool shows(const test::DataSet& elements, std::string_view text, const std::set<dicom::Tag>& staying = {})
{
    const auto file = elements.file();
    const auto instance = dicom::Instance::from_bytes(file, "x");
    const auto stays = [&](std::uint32_t i) { return staying.contains(instance.data_set()[i].tag); };
    return deid::Identities{}.of(instance, stays).shows_in_text(text);
}

test::DataSet named(std::string_view name, std::string_view charset = "")
{
    test::DataSet data_set;
    if (!charset.empty()) {
        data_set.add(tags::SpecificCharacterSet, vr::CS, charset);
    }
    return data_set.add(tags::SOPInstanceUID, vr::UI, "1.2.3.4.5.6.7").add(tags::PatientName, vr::PN, name);
}

} // namespace

TEST_CASE("every component of a name, in every form that people write")
{
    const auto person = named("Müller-Lang^Jürgen^Otto=x", "ISO_IR 192");
    for (const auto* const text : {"MÜLLER", "mueller", "Muller", "Jürgen", "JUERGEN", "otto"}) {
        CAPTURE(text);
        CHECK(shows(person, text));
    }
    CHECK_FALSE(shows(person, "Lang")); // an everyday word
    CHECK(shows(person, "Lang, Otto"));
}

TEST_CASE("a name in the file's own character set and in UTF-8")
{
    const auto person = named("\xbb\xee\xda\xe1\xd5\xdc\xd1\xe3\xe0\xd3", "ISO_IR 144"); // Люксембург
    CHECK(shows(person, "\xbb\xee\xda\xe1\xd5\xdc\xd1\xe3\xe0\xd3"));
    CHECK(shows(person, "Люксембург"));
    CHECK(shows(person, "ЛЮКСЕМБУРГ"));
}

TEST_CASE("names, ids and telephones at every depth; dates in their written forms; UIDs")
{
    auto data_set = named("Doe^Jane");
    data_set.add(tags::PatientID, vr::LO, "0004711823");
    data_set.add(tags::PatientBirthDate, vr::DA, "19800203");
    data_set.add(tags::PatientTelephoneNumbers, vr::SH, "+49 30 123456");
    data_set.add(tags::StudyInstanceUID, vr::UI, "1.2.840.99999.1.2");
    data_set.add_sequence(
        tags::ReferencedInstanceSequence, {test::DataSet{}.add(tags::PersonName, vr::PN, "Nestling^N")});
    for (const auto* const text :
         {"0004711823", "4711823", "1980-02-03", "03.02.1980", "02/03/1980",
          "493012345"
          "6",
          "Nestling", "1.2.840.99999.1.2"}) {
        CAPTURE(text);
        CHECK(shows(data_set, text));
    }
}

TEST_CASE("what stays is not looked for, and nothing that says the same")
{
    auto data_set = named("Doe^Jane");
    data_set.add(tags::StudyDate, vr::DA, "20240102")
        .add(tags::AcquisitionDateTime, vr::DT, "20240102101112")
        .add(tags::DeviceUID, vr::UI, "1.2.840.99999.1.2")
        .add(tags::PatientBirthDate, vr::DA, "19800203");
    CHECK(shows(data_set, "1.2.840.99999.1.2"));
    CHECK_FALSE(shows(data_set, "1.2.840.99999.1.2", {tags::DeviceUID}));
    CHECK_FALSE(shows(data_set, "2024-01-02", {tags::StudyDate}));
    CHECK(shows(data_set, "1980-02-03", {tags::StudyDate}));
}

TEST_CASE("whom an instance shows: issuer and id without padding, never an empty id")
{
    const auto subject = [](const test::DataSet& data_set) {
        const auto file = data_set.file();
        return deid::subject_of(dicom::Instance::from_bytes(file, "x"), "DEFAULT");
    };
    auto issued = named("Doe^Jane");
    issued.add(tags::PatientID, vr::LO, " 77 ").add(tags::IssuerOfPatientID, vr::LO, "HOPE");
    CHECK(subject(issued).identity.id == "77");
    CHECK(subject(issued).identity.issuer == "HOPE");
    auto plain = named("Doe^Jane");
    plain.add(tags::PatientID, vr::LO, "77");
    CHECK(subject(plain).identity.issuer == "DEFAULT");
    auto nameless = named("Doe^Jane");
    nameless.add(tags::PatientID, vr::LO, "").add(tags::StudyInstanceUID, vr::UI, "1.2.3");
    CHECK(subject(nameless).anonymous);
    CHECK(subject(nameless).identity.id == "1.2.3");
}
