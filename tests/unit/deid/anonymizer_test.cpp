#include "deid/anonymizer.hpp"

#include "core/error.hpp"
#include "deid/restorer.hpp"
#include "dicom/rewriter.hpp"
#include "support/data_set.hpp"

#include <numeric>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using dicom::ElementIndex;
using dicom::Instance;
using dicom::Tag;
using test::DataSet;
using test::small_instance;
namespace tags = dicom::tags;
namespace vr = dicom::vr;

namespace {

const pseudonym::Patient patient{1, "sub-001", 364};

pseudonym::Key test_key()
{
    std::array<std::uint8_t, 32> bits;
    std::iota(bits.begin(), bits.end(), std::uint8_t{0});
    return pseudonym::Key{bits};
}

deid::Anonymizer basic()
{
    return deid::Anonymizer{deid::Rules{deid::load_profile("basic")}, test_key()};
}

/// An instance before and after; owns all bytes that are borrowed.
struct Run {
    std::string input;
    Instance instance;
    deid::Anonymized result;
    std::string output;
    Instance anonymized;

    explicit Run(std::string file, const deid::Anonymizer& anonymizer = basic())
        : input(std::move(file)), instance(Instance::from_bytes(input, "input")),
          result(anonymizer.anonymize(instance, patient)), output(result.file.str()),
          anonymized(Instance::from_bytes(output, "output"))
    {
    }

    std::string text(Tag tag) const { return std::string{anonymized.data_set().text(tag)}; }
    bool has(Tag tag) const { return anonymized.data_set().find(tag) != ElementIndex::None; }
    bool mentions(std::string_view words) const { return output.find(words) != std::string::npos; }

    std::string restored(deid::RestoreLevel level) const
    {
        const auto& o = result.originals;
        return deid::restore(anonymized, {o.transfer_syntax, o.elements.map(), o.added}, level).file.str();
    }
};

std::string data_set_of(const std::string& file)
{
    return std::string{Instance::from_bytes(file, "file").data_set().bytes()};
}

} // namespace

TEST_CASE("the patient becomes a code, the dates go, the markers come")
{
    const Run run{small_instance().file()};
    CHECK(run.text(tags::PatientName) == "sub-001");
    CHECK(run.text(tags::PatientID) == "sub-001");
    CHECK(run.text(tags::PatientBirthDate).empty());
    CHECK(run.text(tags::StudyDate).empty());
    CHECK(run.text(tags::Modality) == "OT");
    CHECK(run.text(tags::PatientIdentityRemoved) == "YES");
    CHECK(run.text(tags::DeidentificationMethod) == "dcmpipe: PS3.15 2025b, profile basic");
    CHECK(run.text(tags::LongitudinalTemporalInformationModified) == "REMOVED");
    const auto codes = run.anonymized.data_set().find(tags::DeidentificationMethodCodeSequence);
    REQUIRE(codes != ElementIndex::None);
    CHECK(run.anonymized.data_set().text(tags::CodeValue, codes + 1) == "113100");
    CHECK_FALSE(run.mentions("Doe"));
    CHECK_FALSE(run.mentions("MRN"));
}

TEST_CASE("UIDs are the key's, everywhere, and in the file meta information")
{
    auto data_set = small_instance();
    data_set.add_sequence(
        tags::ReferencedFrameOfReferenceSequence,
        {DataSet{}
             .add(tags::FrameOfReferenceUID, vr::UI, "1.2.3.9")
             .add_sequence(
                 tags::RTReferencedStudySequence,
                 {DataSet{}
                      .add(tags::ReferencedSOPClassUID, vr::UI, "1.2.840.10008.3.1.2.3.1")
                      .add(tags::ReferencedSOPInstanceUID, vr::UI, "1.2.3")})});
    const Run run{data_set.file()};
    const auto key = test_key();
    CHECK(run.text(tags::SOPInstanceUID) == key.uid("1.2.3.4.5"));
    CHECK(run.text(tags::StudyInstanceUID) == key.uid("1.2.3"));
    CHECK(run.anonymized.meta().text(tags::MediaStorageSOPInstanceUID) == key.uid("1.2.3.4.5"));
    CHECK(run.mentions("1.2.840.10008.3.1.2.3.1"));
    CHECK(run.mentions(key.uid("1.2.3.9")));
    // A reference that names the study as an instance resolves to the study.
    const auto output = run.output;
    CHECK(output.rfind(key.uid("1.2.3")) > output.find(key.uid("1.2.3.9")));
}

TEST_CASE("private, unknown, overlay and curve elements go, at every depth")
{
    auto data_set = small_instance();
    data_set.add(Tag{0x0029, 0x0010}, vr::LO, "ACME");
    data_set.add(Tag{0x0029, 0x1001}, vr::LO, "secret of Jane");
    data_set.add_sequence(
        tags::ReferencedInstanceSequence, {DataSet{}
                                               .add(Tag{0x0009, 0x0010}, vr::LO, "ACME")
                                               .add(Tag{0x0009, 0x1001}, vr::UN, "nested secret")
                                               .add(tags::PersonName, vr::PN, "Doe^John")});
    data_set.add(Tag{0x0044, 0x9999}, vr::LO, "not in any dictionary");
    data_set.add(Tag{0x5000, 0x3000}, vr::OW, "curve");
    data_set.add(Tag{0x6002, 0x0022}, vr::LO, "overlay of Jane");
    const Run run{data_set.file()};
    for (const auto* const words : {"secret", "ACME", "Doe", "dictionary", "curve", "overlay"}) {
        CAPTURE(words);
        CHECK_FALSE(run.mentions(words));
    }
}

TEST_CASE("drawings cannot be cleaned: under Clean Graphics they go all the same")
{
    auto profile = deid::load_profile("basic");
    profile.options.add(deid::Option::CleanGraphics);
    auto data_set = small_instance();
    data_set.add(Tag{0x5002, 0x2500}, vr::LO, "curve of Jane");
    data_set.add(Tag{0x5002, 0x3000}, vr::OW, "curve");
    data_set.add(Tag{0x6000, 0x0022}, vr::LO, "overlay of Jane");
    data_set.add(Tag{0x6000, 0x3000}, vr::OW, "overlays");
    const Run run{data_set.file(), deid::Anonymizer{deid::Rules{std::move(profile)}, test_key()}};
    CHECK_FALSE(run.mentions("curve"));
    CHECK_FALSE(run.mentions("overlay"));
}

TEST_CASE("a type 1 sequence gets a dummy item, an SR says nothing any more")
{
    auto data_set = small_instance();
    data_set.add_sequence(
        tags::ContentSequence,
        {DataSet{}.add(tags::ValueType, vr::CS, "TEXT").add(tags::TextValue, vr::UT, "Jane Doe is well")});
    const Run run{data_set.file()};
    CHECK_FALSE(run.mentions("Jane"));
    const auto content = run.anonymized.data_set().find(tags::ContentSequence);
    REQUIRE(content != ElementIndex::None);
    CHECK(run.anonymized.data_set().text(tags::TextValue, content + 1) == "DEIDENTIFIED");
}

TEST_CASE("a hidden sequence in UN is gone through")
{
    auto data_set = small_instance();
    DataSet inside{dicom::ImplicitLittleEndian};
    inside.add(tags::ReferencedSOPInstanceUID, vr::UI, "1.2.3.4.6").add(tags::PersonName, vr::PN, "Doe^Jane");
    data_set.add(
        tags::ReferencedInstanceSequence, vr::UN,
        dicom::encode_item(inside.bytes(), dicom::ImplicitLittleEndian));
    const Run run{data_set.file()};
    CHECK_FALSE(run.mentions("Doe"));
    CHECK(run.mentions(test_key().uid("1.2.3.4.6")));
}

TEST_CASE("a known sequence that cannot be read is removed")
{
    auto data_set = small_instance();
    data_set.add(tags::ReferencedInstanceSequence, vr::UN, "no items but Jane Doe");
    CHECK_FALSE(Run{data_set.file()}.mentions("Jane"));
}

TEST_CASE("group lengths and padding behind the last element go")
{
    DataSet data_set;
    data_set.add(Tag{0x0008, 0x0000}, vr::UL, std::string_view{"\x40\0\0\0", 4});
    data_set.add_raw(small_instance().bytes());
    data_set.add(tags::DataSetTrailingPadding, vr::OB, std::string(64, '\0'));
    const Run run{data_set.file() + std::string(32, '\0')};
    CHECK_FALSE(run.has(Tag{0x0008, 0x0000}));
    CHECK_FALSE(run.has(tags::DataSetTrailingPadding));
    CHECK(run.anonymized.data_set().end_offset() == run.anonymized.data_set().bytes().size());
}

TEST_CASE("restored in full, the data set is the one that came in; whatever its encoding")
{
    const auto [encoding, syntax] = GENERATE(
        std::pair{dicom::ExplicitLittleEndian, dicom::transfer_syntax::ExplicitVRLittleEndian},
        std::pair{dicom::ImplicitLittleEndian, dicom::transfer_syntax::ImplicitVRLittleEndian},
        std::pair{dicom::ExplicitBigEndian, dicom::transfer_syntax::ExplicitVRBigEndian});
    auto data_set = small_instance("1.2.3.4.5", encoding);
    DataSet item{encoding};
    item.add(tags::ReferencedSOPInstanceUID, vr::UI, "1.2.3.4.6");
    data_set.add_sequence(tags::ReferencedInstanceSequence, {item, item});
    data_set.add(Tag{0x0029, 0x0010}, vr::LO, "ACME");
    data_set.add(Tag{0x0029, 0x1001}, vr::LO, "secret");
    const Run run{data_set.file(syntax)};
    CHECK(data_set_of(run.output) != data_set.bytes());
    CHECK(data_set_of(run.restored(deid::RestoreLevel::Full)) == data_set.bytes());
}

TEST_CASE("restored to its identity, the patient, UIDs and dates are back at every depth, the rest is not")
{
    auto data_set = small_instance();
    data_set.add(tags::InstitutionName, vr::LO, "Mercy Hospital");
    data_set.add_sequence(
        tags::ReferencedInstanceSequence,
        {DataSet{}.add(tags::ReferencedSOPInstanceUID, vr::UI, "1.2.3.4.6")});
    data_set.add(Tag{0x0029, 0x0010}, vr::LO, "ACME");
    const Run run{data_set.file()};
    const auto file = run.restored(deid::RestoreLevel::Identity);
    const auto restored = Instance::from_bytes(file, "restored");
    const auto& index = restored.data_set();
    CHECK(index.text(tags::PatientName) == "Doe^Jane");
    CHECK(index.text(tags::PatientID) == "MRN-77");
    CHECK(index.text(tags::PatientBirthDate) == "19700203");
    CHECK(index.text(tags::StudyDate) == "20240131");
    CHECK(index.text(tags::StudyInstanceUID) == "1.2.3");
    CHECK(restored.meta().text(tags::MediaStorageSOPInstanceUID) == "1.2.3.4.5");
    CHECK(file.find("1.2.3.4.6") != std::string::npos);
    CHECK(index.text(tags::PatientIdentityRemoved) == "NO");
    CHECK(index.find(tags::DeidentificationMethod) == ElementIndex::None);
    CHECK(index.find(tags::DeidentificationMethodCodeSequence) == ElementIndex::None);
    CHECK(file.find("Mercy") == std::string::npos);
    CHECK(file.find("ACME") == std::string::npos);
}

TEST_CASE("an instance that was converted since is refused, not garbled")
{
    const Run run{small_instance().file()};
    const pseudonym::RecalledOriginals originals{
        std::string{dicom::transfer_syntax::ImplicitVRLittleEndian}, run.result.originals.elements.map(), {}};
    CHECK_THROWS_WITH(
        deid::restore(run.anonymized, originals, deid::RestoreLevel::Full),
        Catch::Contains("convert it back"));
}

TEST_CASE("a document that could hold anything is kept back, unless a rule keeps it")
{
    auto document = small_instance();
    document.add(tags::EncapsulatedDocument, vr::OB, "%PDF");
    const auto file = document.file();
    CHECK_THROWS_WITH(
        basic().refuse_unfit(Instance::from_bytes(file, "x.dcm")),
        Catch::Contains("'x.dcm'") && Catch::Contains("encapsulated document"));

    const auto profile = deid::parse_profile(
        "p", R"({"dcmpipe-profile": 1, "rules": [{"tag": "EncapsulatedDocument", "action": "keep"}]})", {});
    const deid::Anonymizer keeping{deid::Rules{profile}, test_key()};
    CHECK_NOTHROW(keeping.refuse_unfit(Instance::from_bytes(file, "x.dcm")));
}

TEST_CASE("an instance without SOP Instance UID is refused")
{
    const auto nameless = DataSet{}.add(tags::SOPClassUID, vr::UI, "1.2.840.10008.5.1.4.1.1.7").file();
    CHECK_THROWS_WITH(
        basic().refuse_unfit(Instance::from_bytes(nameless, "x.dcm")),
        Catch::Contains("no SOP Instance UID"));
}

TEST_CASE("a text that a rule of the profile left the patient in goes")
{
    auto named = small_instance();
    named.add(tags::StudyDescription, vr::LO, "Knee of Jane Doe");
    named.add(tags::SeriesDescription, vr::LO, "Knee of somebody");
    const auto profile = deid::parse_profile(
        "p", R"({"dcmpipe-profile": 1, "rules": [
            {"tag": "StudyDescription", "action": "regex", "pattern": "Knee", "with": "Leg"},
            {"tag": "SeriesDescription", "action": "regex", "pattern": "Knee", "with": "Leg"}]})",
        {});
    const Run run{named.file(), deid::Anonymizer{deid::Rules{profile}, test_key()}};
    CHECK_FALSE(run.has(tags::StudyDescription));
    CHECK(run.text(tags::SeriesDescription) == "Leg of somebody");
}

TEST_CASE("the same input gives the same bytes; no value depends on the run")
{
    const auto file = small_instance().file();
    CHECK(Run{file}.output == Run{file}.output);
}
