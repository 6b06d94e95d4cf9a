#include "dicom/layout.hpp"

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "dicom/charset.hpp"
#include "dicom/tags.hpp"
#include "support/raw_elements.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace dcmpipe;
using namespace dcmpipe::dicom;

namespace {

std::string place(std::string_view layout, const std::map<Tag, std::string>& values)
{
    const auto value_of = [&](Tag tag) {
        const auto found = values.find(tag);
        return found == values.end() ? std::string{} : found->second;
    };
    return Layout{layout}.place_of(value_of).file.string();
}

const std::map<Tag, std::string> usual{
    {tags::PatientID, "4711"},
    {tags::StudyInstanceUID, "1.2"},
    {tags::SeriesInstanceUID, "1.3"},
    {tags::SOPInstanceUID, "1.4"},
    {tags::Modality, "CT"},
    {tags::SeriesNumber, "7"},
    {tags::StudyDate, "20240115"},
    {tags::StudyTime, "101500.25"},
    {tags::SeriesDescription, "T1 ax, 3.0 mm"},
};

} // namespace

TEST_CASE("named layouts")
{
    CHECK(place("uid", usual) == "1.2/1.3/1.4.dcm");
    CHECK(place("patient", usual) == "4711/1.2/1.3/1.4.dcm");
    CHECK(place("receiver", usual) == "4711/1.2/1.3/scans/1.4.dcm");
    CHECK(place("pacsifier", usual) == "sub-4711/ses-20240115101500_25/00007-T1_ax_3_0_mm/CT.1.4");
}

TEST_CASE("templates")
{
    CHECK(place("{Modality}/{SeriesNumber:05}-x/{SOPInstanceUID}", usual) == "CT/00007-x/1.4");
    CHECK(place("{PatientName}/{SOPInstanceUID}.dcm", usual) == "none/1.4.dcm");
    CHECK(place("{InstanceNumber:04}.dcm", usual) == "0000.dcm");
    auto several = usual;
    several[tags::PatientID] = "first\\second";
    CHECK(place("{PatientID}", several) == "first");
}

TEST_CASE("the study's folder ends with the last attribute of patient or study")
{
    const auto folder = [](std::string_view layout) {
        return Layout{layout}.place_of([](Tag) { return std::string{"x"}; }).study_folder.string();
    };
    CHECK(folder("uid") == "x");
    CHECK(folder("patient") == "x/x");
    CHECK(folder("pacsifier") == "sub-x/ses-xx");
    CHECK(folder("{Modality}/{SOPInstanceUID}").empty());
    CHECK(folder("{Modality}/{StudyDate}/{SOPInstanceUID}") == "x/x");
}

TEST_CASE("wrong layouts are refused with the reason")
{
    const auto refused = [](std::string_view layout, const std::string& reason) {
        CAPTURE(layout);
        try {
            const Layout wrong{layout};
            FAIL("it was taken");
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::Usage);
            CHECK_THAT(error.what(), Catch::Matchers::Contains(reason));
        }
    };
    refused("", "neither a layout's name nor a template");
    refused("flat", "neither a layout's name nor a template");
    refused("/{PatientID}", "not a relative path");
    refused("{PatientID}/", "not a relative path");
    refused("{PatientID}//x", "an empty or dotted component");
    refused("{PatientID}/../x", "an empty or dotted component");
    refused("./{PatientID}", "an empty or dotted component");
    refused("{PatientID", "a brace is not closed");
    refused("{PatientId}", "unknown keyword PatientId");
    refused("{}", "unknown keyword");
    refused("{SeriesNumber:}", "wrong width");
    refused("{SeriesNumber:x}", "wrong width");
    refused("{SeriesNumber:5x}", "wrong width");
    refused("{SeriesNumber:99999999}", "wrong width");
}

TEST_CASE("no value makes a path by itself")
{
    const std::string_view bad[] = {"..",          ".",        "../../etc/passwd",
                                    "/etc/passwd", "a/b",      "a\\b",
                                    ".hidden",     "-rf",      " x",
                                    "x ",          "x.",       std::string_view{"a\0b", 3},
                                    "a\nb",        "\x1b[31m", "a:b*?\"<>|",
                                    "~",           ""};
    for (const auto value : bad) {
        CAPTURE(value);
        const auto file = place("{PatientID}/x.dcm", {{tags::PatientID, std::string{value}}});
        const std::filesystem::path path{file};
        CHECK(std::distance(path.begin(), path.end()) == 2);
        CHECK(path.is_relative());
        CHECK(path.lexically_normal() == path);
        const auto name = path.begin()->string();
        CHECK(name.find_first_of(std::string_view{"/\\:*?\"<>|\n\x1b\0", 12}) == std::string::npos);
        CHECK(name.front() != '.');
        CHECK(name.front() != '-');
        CHECK(name.back() != ' ');
    }
    CHECK(place("..{PatientID}/x", {{tags::PatientID, "y"}}) == "_.y/x");
}

TEST_CASE("names are cut where a letter ends, and never empty")
{
    CHECK(safe_name(std::string(300, 'x')).size() == 200);
    std::string umlauts;
    for (int i = 0; i < 150; ++i) {
        umlauts += "ü";
    }
    CHECK(safe_name("x" + umlauts).size() == 199);
    CHECK(dcmpipe::is_utf8(safe_name("x" + umlauts)));
    CHECK(safe_name("") == "none");
    CHECK(safe_name("...") == "none");
    CHECK(safe_name("\xff\xff") == "none");
}

TEST_CASE("values of a data set are read in its character set")
{
    const auto bytes = raw::text(0x00080005, "CS", "ISO_IR 100") + raw::text(0x00080018, "UI", "1.4") +
                       raw::text(0x00100010, "PN", "M\xfcller^J\xf6rg");
    const auto index = ElementIndex::walk(bytes, ExplicitLittleEndian);
    CHECK(Layout{"{PatientName}/{SOPInstanceUID}"}.place_of(index).file == "Müller^Jörg/1.4");
}

TEST_CASE("a layout of PACSIFIER names a series without a description")
{
    auto values = usual;
    values.erase(tags::SeriesDescription);
    CHECK(place("pacsifier", values) == "sub-4711/ses-20240115101500_25/00007-No_series_description/CT.1.4");
    values[tags::SeriesDescription] = "Schädel Ång Łódź Việt ß 頭部";
    CHECK(place("pacsifier", values) == "sub-4711/ses-20240115101500_25/00007-Schadel_Ang_odz_Viet_/CT.1.4");
}
