#include "retrieve/cohort.hpp"

#include "core/error.hpp"
#include "dicom/tags.hpp"

#include <catch2/catch.hpp>

using dcmpipe::Error;
using dcmpipe::ErrorKind;
using dcmpipe::parse_csv;
using dcmpipe::retrieve::cohort_from;
namespace tags = dcmpipe::dicom::tags;

namespace {

auto read(std::string_view csv, bool any_key = false)
{
    return cohort_from(parse_csv(csv, "q.csv"), "q.csv", any_key);
}

std::string problems_of(std::string_view csv, bool any_key = false)
{
    try {
        read(csv, any_key);
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::Usage);
        return error.what();
    }
    return {};
}

} // namespace

TEST_CASE("an empty cell is no criterion, values stay text")
{
    const auto rows = read("StudyDate,PatientID\n20150512,00123\n,45322\n20180102,\n");
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].number == 2);
    REQUIRE(rows[0].criteria.size() == 2);
    CHECK(rows[0].criteria[1].key == "00123");
    REQUIRE(rows[1].criteria.size() == 1);
    CHECK(rows[1].criteria[0].tag == tags::PatientID);
    REQUIRE(rows[2].criteria.size() == 1);
    CHECK(rows[2].criteria[0].tag == tags::StudyDate);
}

TEST_CASE("byte order mark, semicolons, quoted line break in the header's neighbour")
{
    const auto rows = read("\xef\xbb\xbfPatientID;SeriesDescription\n7;\"T1 \"\"fast\"\"\"\n");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].criteria[1].key == "T1 \"fast\"");
}

TEST_CASE("every problem is told at once")
{
    const auto text = problems_of("PatientID,patientID,PatientID\n1,2,3,4\n");
    CHECK(text.find("column 2: not a known column: PatientID is") != text.npos);
    CHECK(text.find("column 3: the column is there twice") != text.npos);
    CHECK(text.find("row 2, column 4: a cell without a column") != text.npos);
    CHECK(problems_of("PatientID\n").find("there is no row") != std::string::npos);
}

TEST_CASE("any keyword is let in on request only")
{
    CHECK_FALSE(problems_of("BodyPartExamined\nHEAD\n").empty());
    CHECK(read("BodyPartExamined\nHEAD\n", true)[0].criteria[0].tag == tags::BodyPartExamined);
    CHECK_FALSE(problems_of("NoSuchThing\nHEAD\n", true).empty());
}
