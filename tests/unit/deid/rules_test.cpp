#include "deid/rules.hpp"

#include "core/error.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using deid::Rules;

namespace {

constexpr std::string_view ct = "1.2.840.10008.5.1.4.1.1.2";

Rules rules(std::string_view members = "")
{
    const std::string more = members.empty() ? "" : ", " + std::string{members};
    return Rules{deid::parse_profile("p", "{\"dcmpipe-profile\": 1" + more + "}", {})};
}

/// The action alone, as --explain names it.
std::string action(const Rules& rules, std::string_view word, std::string_view sop_class = ct)
{
    const auto line = rules.explain(word, sop_class);
    const auto start = line.find(": ") + 2;
    return line.substr(start, line.find(' ', start) - start);
}

} // namespace

TEST_CASE("without options the table's basic column decides")
{
    const auto basic = rules();
    CHECK(action(basic, "PatientID") == "code");
    CHECK(action(basic, "StudyDescription") == "remove");
    CHECK(action(basic, "AccessionNumber") == "empty");
    CHECK(action(basic, "StudyInstanceUID") == "uid");
    CHECK(action(basic, "Rows") == "keep");
}

TEST_CASE("the net under the table, by value representation")
{
    const auto basic = rules();
    CHECK(action(basic, "(0008,1190)") == "remove"); // Retrieve URL
    CHECK(action(basic, "(0020,9312)") == "uid");    // no row: any other UID
    CHECK(action(basic, "SOPClassUID") == "keep");   // names a kind
    CHECK(action(basic, "(0070,0082)") == "dummy");  // type 1 in presentation states
    CHECK(action(basic, "(6002,0022)") == "remove");
    CHECK(action(basic, "(0009,1001)") == "remove");
    CHECK(action(basic, "(0044,9999)") == "remove"); // in no dictionary
}

TEST_CASE("options: clean before retain, shifted dates, device dates")
{
    const auto shifted =
        rules(R"("options": ["retain-longitudinal-modified-dates", "retain-device-identity"])");
    CHECK(action(shifted, "StudyDate") == "shift");
    CHECK(action(shifted, "DateOfLastCalibration") == "shift"); // unshifted it would tell the shift
    CHECK(action(shifted, "DeviceSerialNumber") == "keep");
    const auto kept = rules(
        R"("options": ["retain-longitudinal-modified-dates", "retain-device-identity"], "dates": {"device-dates": "keep"})");
    CHECK(action(kept, "DateOfLastCalibration") == "keep");
    CHECK(action(rules(R"("options": ["clean-descriptors"])"), "StudyDescription") == "clean");
    CHECK(action(rules(R"("options": ["retain-uids"])"), "StudyInstanceUID") == "keep");
    CHECK(action(rules(R"("options": ["retain-patient-characteristics"])"), "PatientAge") == "age-cap");
}

TEST_CASE("a rule of the profile wins over the table; the more specific and the later over the other")
{
    const auto ruled = rules(R"x("rules": [
        {"vr": "DS", "action": "remove"},
        {"tag": "StudyDescription", "action": "keep"},
        {"tag": "StudyDescription", "action": "empty"},
        {"tag": "(60xx,0022)", "action": "keep"},
        {"tag": "(6002,0022)", "action": "empty"}])x");
    CHECK(action(ruled, "StudyDescription") == "empty");
    CHECK(action(ruled, "(6000,0022)") == "keep");
    CHECK(action(ruled, "(6002,0022)") == "empty");
    CHECK(action(ruled, "KVP") == "remove");
    CHECK(action(ruled, "PatientWeight") == "remove");
}

TEST_CASE("nothing keeps what is no part of a data set")
{
    const auto keeping = rules(R"x("rules": [{"tag": "(0008,0000)", "action": "keep"}])x");
    CHECK(action(keeping, "(0008,0000)") == "remove");
    CHECK_THROWS_AS(keeping.explain("PatientNaem", ct), Error);
}

TEST_CASE("what is encrypted leaves what the table leaves; where pixels are painted is said")
{
    const auto sealing = rules(R"x("rules": [{"tag": "PatientBirthDate", "action": "encrypt"}])x");
    CHECK(action(sealing, "PatientBirthDate") == "encrypt");
    const auto painting = rules(R"x("options": ["clean-pixel-data"])x");
    CHECK_THAT(painting.explain("PixelData", ct), Catch::Matchers::Contains("pixel rule"));
    CHECK_THAT(rules("").explain("PixelData", ct), !Catch::Matchers::Contains("pixel rule"));
}
