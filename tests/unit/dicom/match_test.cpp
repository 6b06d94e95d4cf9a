#include "dicom/match.hpp"

#include "core/error.hpp"
#include "support/data_set.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::dicom;

namespace {

bool holds(const test::DataSet& data_set, std::string_view word, std::vector<std::string> patterns)
{
    const auto file = data_set.file();
    Condition condition;
    condition.add(word, std::move(patterns));
    return condition.holds(Instance::from_bytes(file, "file"));
}

} // namespace

TEST_CASE("stars stand for any characters, question marks for one")
{
    const std::vector<std::pair<std::string_view, std::string_view>> fitting{
        {"", ""},       {"", "*"},          {"CT", "CT"},         {"CT", "ct"},         {"CT", "C?"},
        {"CT", "**"},   {"CT", "*T"},       {"CT", "C*"},         {"CT", "*C*T*"},      {"abcabd", "*abd"},
        {"aab", "*ab"}, {"aXbXc", "a*b*c"}, {"T1 SAG", "t1*sag"}, {"Müller", "M?ller"}, {"山田", "??"},
        {"ü", "*?"},    {"a*b", "a*b"},     {"MÜ", "*Ü"}};
    for (const auto& [text, pattern] : fitting) {
        CAPTURE(text, pattern);
        CHECK(fits(text, pattern));
    }
    const std::vector<std::pair<std::string_view, std::string_view>> others{
        {"CT", ""},   {"", "?"},      {"CT", "C"}, {"CT", "CTA"}, {"CT", "?"},   {"CT", "???"},
        {"CT", "*A"}, {"abc", "a*b"}, {"ü", "??"}, {"ü", "*??"},  {"aab", "ab*"}};
    for (const auto& [text, pattern] : others) {
        CAPTURE(text, pattern);
        CHECK_FALSE(fits(text, pattern));
    }
}

TEST_CASE("many stars do not take for ever")
{
    const std::string text(5000, 'a');
    CHECK_FALSE(fits(text, "*a*a*a*a*a*a*a*a*a*a*a*a*b"));
}

TEST_CASE("one value that fits one pattern is enough")
{
    auto data_set = test::small_instance();
    data_set.add(tags::ImageComments, vr::LT, "none");
    const test::DataSet typed = test::DataSet{}.add(tags::ImageType, vr::CS, "ORIGINAL\\PRIMARY \\ MPR");
    CHECK(holds(typed, "ImageType", {"mpr"}));
    CHECK(holds(typed, "ImageType", {"DERIVED", "PRIM*"}));
    CHECK(holds(typed, "ImageType", {"PRIMARY"}));
    CHECK_FALSE(holds(typed, "ImageType", {"ORIGINAL\\PRIMARY"}));
    CHECK(holds(data_set, "(0010,0020)", {"mrn-77"}));
    CHECK_FALSE(holds(data_set, "PatientID", {"MRN-7"}));
}

TEST_CASE("what is absent fits nothing; what is empty fits the empty pattern")
{
    CHECK_FALSE(holds(test::small_instance(), "StationName", {"*", ""}));
    CHECK(holds(test::small_instance().add(tags::ImageComments, vr::LT, ""), "ImageComments", {""}));
}

TEST_CASE("numbers are compared by their digits, text in its own character set")
{
    auto data_set = test::DataSet{}
                        .add(tags::SpecificCharacterSet, vr::CS, "ISO_IR 100")
                        .add(tags::PatientName, vr::PN, "M\xfcller^Eva")
                        .add(tags::Rows, vr::US, encode_u16(512));
    CHECK(holds(data_set, "Rows", {"512"}));
    CHECK_FALSE(holds(data_set, "Rows", {"51"}));
    CHECK(holds(data_set, "PatientName", {"Müller^*"}));
    CHECK(holds(data_set, "PatientName", {"M?ller^*"}));
}

TEST_CASE("a SOP class goes by its UID or its name")
{
    const auto capture = test::small_instance();
    CHECK(holds(capture, "SOPClass", {"SecondaryCapture*"}));
    CHECK(holds(capture, "SOPClass", {"1.2.840.10008.5.1.4.1.1.7"}));
    CHECK_FALSE(holds(capture, "SOPClass", {"CT*"}));
    CHECK(sop_class_name("1.2.840.10008.5.1.4.1.1.104.1") == "EncapsulatedPDF");
    CHECK(sop_class_name("1.2.3.4") == "1.2.3.4");
}

TEST_CASE("all terms must hold; a word that is no attribute is refused")
{
    const auto file = test::small_instance().file();
    const auto instance = Instance::from_bytes(file, "file");
    Condition condition;
    CHECK(condition.empty());
    CHECK(condition.holds(instance));
    condition.add("Modality", {"OT"});
    CHECK(condition.holds(instance));
    condition.add("PatientID", {"other"});
    CHECK_FALSE(condition.holds(instance));
    CHECK_THROWS_AS(condition.add("PatientNam", {"*"}), Error);
}
