#include "net/report.hpp"

#include <catch2/catch.hpp>

using dcmpipe::net::Report;

TEST_CASE("a report arrives as it was sent")
{
    const Report sent{
        {.path = "in/a b/1.dcm",
         .sop_class_uid = "1.2",
         .study_uid = "1.3",
         .series_uid = "1.4",
         .instance_uid = "1.5",
         .bytes = 5'000'000'000,
         .stood_already = true},
        "MOD ONE"};
    const auto got = Report::decode(sent.encode());
    REQUIRE(got);
    CHECK(got->instance.path == sent.instance.path);
    CHECK(got->instance.sop_class_uid == "1.2");
    CHECK(got->instance.study_uid == "1.3");
    CHECK(got->instance.series_uid == "1.4");
    CHECK(got->instance.instance_uid == "1.5");
    CHECK(got->instance.bytes == 5'000'000'000);
    CHECK(got->instance.stood_already);
    CHECK(got->calling_aet == "MOD ONE");
}

TEST_CASE("half a report is none")
{
    const auto whole = Report{{.path = "x", .bytes = 1}, "A"}.encode();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK_FALSE(Report::decode(std::string_view{whole}.substr(0, size)));
    }
    CHECK_FALSE(Report::decode(whole + "y"));
}
