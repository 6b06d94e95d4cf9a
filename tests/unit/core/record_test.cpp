#include "core/record.hpp"

#include "core/error.hpp"

#include <catch2/catch.hpp>

using dcmpipe::Error;
using dcmpipe::Record;
using dcmpipe::Status;

TEST_CASE("a record is one JSON line: path, status, reason, then the rest in order")
{
    const auto record = Record{"a/b.dcm", Status::Failed, "not a DICOM file"}
                            .set("Modality", std::string{"CT"})
                            .set("instances", std::int64_t{3});
    CHECK(
        record.json() ==
        R"({"path":"a/b.dcm","status":"failed","reason":"not a DICOM file","Modality":"CT","instances":3})");
}

TEST_CASE("what json() wrote, from_json() reads")
{
    const auto line = Record{"x", Status::Skipped}.set("done", true).set("rate", 1.5).json();
    CHECK(Record::from_json(line).json() == line);
}

TEST_CASE("a record without status counts as ok; unknown keys are kept")
{
    const auto record = Record::from_json(R"({"path":"x","other":{"deep":1}})");
    CHECK(record.usable());
    CHECK(record.json() == R"({"path":"x","status":"ok","other":"{\"deep\":1}"})");
}

TEST_CASE("what is no record is refused")
{
    for (const auto* const line :
         {"", "{", "[]", R"({"status":"ok"})", R"({"path":1})", R"({"path":"x","status":"fine"})"}) {
        CAPTURE(line);
        CHECK_THROWS_AS(Record::from_json(line), Error);
    }
}

TEST_CASE("a file name that is not UTF-8 does not break the line")
{
    CHECK(Record{"\xff.dcm"}.json() == "{\"path\":\"\xef\xbf\xbd.dcm\",\"status\":\"ok\"}");
}
