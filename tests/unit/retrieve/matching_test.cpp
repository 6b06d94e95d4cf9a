#include "retrieve/matching.hpp"

#include "dicom/tags.hpp"

#include <catch2/catch.hpp>

using dcmpipe::retrieve::matches;
using dcmpipe::retrieve::problem_with;
namespace tags = dcmpipe::dicom::tags;

TEST_CASE("text: wildcards, case kept, any of several values")
{
    CHECK(matches(tags::ProtocolName, "BEAT_SelfNav*", "BEAT_SelfNav_3D "));
    CHECK_FALSE(matches(tags::ProtocolName, "BEAT_SelfNav*", "beat_SelfNav_3D"));
    CHECK(matches(tags::PatientID, "00?5", "0045"));
    CHECK_FALSE(matches(tags::PatientID, "45", "0045"));
    CHECK(matches(tags::SeriesDescription, "Sch?del*", "Schädel nativ"));
    CHECK(matches(tags::ImageType, "PRIMARY", "ORIGINAL\\PRIMARY\\AXIAL"));
    CHECK(matches(tags::ImageType, "ORIGINAL\\PRIMARY*", "ORIGINAL\\PRIMARY\\AXIAL"));
    CHECK_FALSE(matches(tags::ImageType, "DERIVED*", "ORIGINAL\\PRIMARY\\AXIAL"));
    CHECK_FALSE(matches(tags::Modality, "MR", "MRX"));
}

TEST_CASE("names: whatever their case, any component group, without delimiters at the end")
{
    CHECK(matches(tags::PatientName, "doe^j*", "DOE^JANE^^^"));
    CHECK(matches(tags::PatientName, "Doe", "DOE^^"));
    CHECK(matches(tags::PatientName, "山田^*", "Yamada^Tarou=山田^太郎=やまだ^たろう"));
    CHECK_FALSE(matches(tags::PatientName, "Doe", "Doe^Jane"));
}

TEST_CASE("dates and times: single, ranges, open ranges, ACR-NEMA")
{
    CHECK(matches(tags::StudyDate, "20150201-20160201", "20150201"));
    CHECK_FALSE(matches(tags::StudyDate, "20150201-20160201", "20160202"));
    CHECK(matches(tags::StudyDate, "20150201-", "20990101"));
    CHECK(matches(tags::StudyDate, "-20150201", "1999.12.31"));
    CHECK_FALSE(matches(tags::StudyDate, "20150201", ""));
    CHECK_FALSE(matches(tags::StudyDate, "20150201-", "unknown"));
    CHECK(matches(tags::StudyTime, "140500", "140500.123"));
    CHECK(matches(tags::StudyTime, "14", "14:05:00"));
    CHECK_FALSE(matches(tags::StudyTime, "140500", "140501"));
    CHECK(matches(tags::StudyTime, "0800-1200", "120059"));
    CHECK_FALSE(matches(tags::StudyTime, "0800-1200", "120100"));
}

TEST_CASE("numbers in any spelling, UIDs from a list")
{
    CHECK(matches(tags::SeriesNumber, "4", " +4"));
    CHECK(matches(tags::SeriesNumber, "004", "4"));
    CHECK_FALSE(matches(tags::SeriesNumber, "4", "40"));
    CHECK(matches(tags::SeriesInstanceUID, "1.2\\1.3", "1.3"));
    CHECK_FALSE(matches(tags::SeriesInstanceUID, "1.2\\1.3", "1.30"));
}

TEST_CASE("what can be no key is told without its value")
{
    CHECK(problem_with(tags::StudyDate, "20240229").empty());
    CHECK(problem_with(tags::StudyDate, "20240101-20240102").empty());
    CHECK(problem_with(tags::PatientName, "Doe*").empty());
    CHECK(problem_with(tags::ImageType, "ORIGINAL\\PRIMARY").empty());
    // The invalid ones of PACSIFIER's own tests.
    for (const auto* const date : {"18930402x", "19934402", "19930472", "189304029", "1804029", "dakdjak"}) {
        CAPTURE(date);
        CHECK_FALSE(problem_with(tags::StudyDate, date).empty());
        CHECK_FALSE(problem_with(tags::StudyDate, std::string{date} + "-20200101").empty());
        CHECK(problem_with(tags::StudyDate, date).find(date) == std::string::npos);
    }
    CHECK_FALSE(problem_with(tags::StudyDate, "20230229").empty());
    CHECK_FALSE(problem_with(tags::PatientID, std::string(65, 'x')).empty());
    CHECK_FALSE(problem_with(tags::PatientID, "a\nb").empty());
    CHECK_FALSE(problem_with(tags::PixelData, "1").empty());
}
