#include "pseudonym/exchange.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "support/scratch.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

using namespace dcmpipe;
using namespace dcmpipe::pseudonym;

namespace {

struct Fixture {
    test::Scratch scratch;

    std::vector<ImportedPatient> read(
        Format format, std::string_view text, const std::string& issuer = "") const
    {
        std::ofstream{scratch / "file"} << text;
        return read_patients(format, scratch / "file", issuer);
    }
    std::string written(Format format) const
    {
        const std::vector<KnownPatient> patients{
            {{1, "sub-001", 70},
             R"({"PatientID":"MRN-1","PatientName":"Doe^Jane","IssuerOfPatientID":"A"})"}};
        write_link_data(format, scratch / "out", patients, {});
        return read_text_file(scratch / "out");
    }
};

} // namespace

TEST_CASE("every format has a name, and an unknown one lists them")
{
    CHECK(format_from("receiver-json") == Format::ReceiverJson);
    CHECK(format_from("anontrail") == Format::AnonTrail);
    CHECK_THROWS_WITH(format_from("nonsense"), Catch::Contains("identity-db-ruby"));
}

TEST_CASE_METHOD(
    Fixture, "CSV: columns by name, an issuer of its own or the one for all, shifts as added days")
{
    const auto patients =
        read(Format::Csv, "Code,PatientID,ShiftDays,Issuer\nP1,MRN-1,-30,\nP2,MRN-1,,MERCY\n", "HOSP");
    REQUIRE(patients.size() == 2);
    CHECK(patients[0].identity == PatientIdentity{"HOSP", "MRN-1"});
    CHECK(patients[0].shift_days == 30);
    CHECK(patients[1].identity == PatientIdentity{"MERCY", "MRN-1"});
    CHECK_FALSE(patients[1].shift_days);
    CHECK_THROWS_AS(read(Format::Csv, "Code,PatientID\n,MRN-1\n"), Error);
    CHECK_THROWS_AS(read(Format::Csv, "Code,PatientID,ShiftDays\nP1,MRN-1,12x\n"), Error);
    CHECK_THROWS_AS(read(Format::Csv, "Code,PatientID,ShiftDays\nP1,MRN-1,99999999999\n"), Error);
}

TEST_CASE_METHOD(Fixture, "PACSIFIER: names of folders are told from Patient IDs, shifts found by either")
{
    auto patients = read(Format::NewIds, R"({"sub-MRN_1":"P1","MRN-2":"P2"})");
    REQUIRE(patients.size() == 2);
    const auto& by_folder = patients[0].by_folder ? patients[0] : patients[1];
    CHECK(by_folder.identity.id == "MRN_1");
    CHECK(by_folder.code == "P1");
    std::ofstream{scratch / "shifts"} << R"({"MRN-1": -17, "sub-MRN_2": "5", "nobody": 1})";
    add_day_shifts(patients, scratch / "shifts");
    CHECK(patients[0].shift_days == (patients[0].code == "P1" ? 17 : -5));
    CHECK(patients[1].shift_days == (patients[1].code == "P1" ? 17 : -5));
    CHECK(read(Format::Mapper, R"({"P1":"MRN_1"})")[0].by_folder);
    CHECK_THROWS_AS(read(Format::NewIds, R"({"MRN-1":7})"), Error);
    CHECK_THROWS_AS(read(Format::Mapper, "[]"), Error);
    CHECK_THROWS_AS(read(Format::DayShift, R"({"MRN-1":7})"), Error);
}

TEST_CASE_METHOD(Fixture, "the trail names a patient once, and its faults by their line")
{
    const std::string line = R"({"original":{"patient_id":"M1"},"anonymized":{"patient_id":"P1"}})";
    CHECK(read(Format::AnonTrail, line + "\n\n" + line + "\n").size() == 1);
    CHECK_THROWS_WITH(read(Format::AnonTrail, line + "\n{}\n"), Catch::Contains("line 2"));
}

TEST_CASE_METHOD(Fixture, "what others read is written for its owner alone")
{
    CHECK(written(Format::NewIds) == "{\n  \"sub-MRN-1\": \"sub-001\"\n}\n");
    CHECK(written(Format::Mapper) == "{\n  \"sub-001\": \"MRN-1\"\n}\n");
    CHECK(written(Format::DayShift) == "{\n  \"MRN-1\": -70\n}\n");
    CHECK(written(Format::Csv).find("MRN-1,A,sub-001,-70,Doe^Jane,") != std::string::npos);
    CHECK(written(Format::IdentityDb).starts_with("SQLite format 3"));
    CHECK_THROWS_AS(written(Format::AnonTrail), Error);
    struct stat status {};
    REQUIRE(::stat((scratch / "out").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
}
