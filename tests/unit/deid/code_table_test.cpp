#include "deid/code_table.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <fstream>

#include <catch2/catch.hpp>

using namespace dcmpipe;

namespace {

deid::CodeTable table_of(const std::string& name, const std::string& text)
{
    const test::Scratch scratch;
    const auto path = scratch / name;
    std::ofstream{path} << text;
    deid::CodeTable table;
    table.add_codes(path);
    return table;
}

} // namespace

TEST_CASE("codes from JSON: by id, and by the folder names that PACSIFIER makes of it")
{
    const auto table = table_of("ids.json", R"({"77": "P1", "sub-MRN_4711": "P2"})");
    CHECK(table.code_of({"", "77"}) == "P1");
    CHECK(table.code_of({"ANY", "77"}) == "P1");
    CHECK(table.code_of({"", "MRN-4711"}) == "P2");
    CHECK_FALSE(table.code_of({"", "78"}));
}

TEST_CASE("codes from CSV: an issuer tells two patients of one number apart")
{
    const auto table = table_of("ids.csv", "Issuer;PatientID;Code\nHOPE;77;P1\nMERCY;77;P2\n;78;P3\n");
    CHECK(table.code_of({"HOPE", "77"}) == "P1");
    CHECK(table.code_of({"MERCY", "77"}) == "P2");
    CHECK(table.code_of({"MERCY", "78"}) == "P3");
    CHECK_FALSE(table.code_of({"", "77"}));
}

TEST_CASE("a CSV that is wrong is refused by its row, without its values")
{
    CHECK_THROWS_WITH(table_of("a.csv", "PatientID,Name\n77,x\n"), Catch::Contains("PatientID and Code"));
    CHECK_THROWS_WITH(
        table_of("b.csv", "PatientID,Code\nMRN-1,x\nMRN-2,x\n"),
        Catch::Contains("row 3") && Catch::Contains("two patients") && !Catch::Contains("MRN"));
    CHECK_THROWS_WITH(table_of("c.csv", "PatientID,Code\nMRN-1,../x\n"), Catch::Contains("name a folder"));
    CHECK_THROWS_WITH(table_of("d.csv", "PatientID,Code\nMRN-1,x\nMRN-1,y\n"), Catch::Contains("two codes"));
    CHECK_THROWS_WITH(table_of("e.csv", "PatientID,Code\n,x\n"), Catch::Contains("no PatientID"));
}
