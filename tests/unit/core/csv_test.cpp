#include "core/csv.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <fstream>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using Catch::Matchers::Contains;
using Cells = std::vector<std::string>;

TEST_CASE("commas, semicolons and tabs part cells, as the header shows")
{
    for (const std::string separator : {",", ";", "\t"}) {
        CAPTURE(separator);
        const auto table = parse_csv("a" + separator + "b\nx;y,z\t" + separator + "2\n", "t");
        CHECK(table.header == Cells{"a", "b"});
        REQUIRE(table.rows.size() == 1);
        CHECK(table.rows[0].cells.back() == "2");
    }
    // Inside quotes a separator is text.
    CHECK(parse_csv("\"a,b,c\";d", "t").header == Cells{"a,b,c", "d"});
}

TEST_CASE("lines end by LF, CRLF or CR, or with the text")
{
    for (const auto* const text :
         {"a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4", "a,b\n1,2\r\n3,4"}) {
        CAPTURE(text);
        const auto table = parse_csv(text, "t");
        REQUIRE(table.rows.size() == 2);
        CHECK(table.rows[0].cells == Cells{"1", "2"});
        CHECK(table.rows[1].cells == Cells{"3", "4"});
    }
}

TEST_CASE("quotes hold separators, line breaks and quotes")
{
    const auto table = parse_csv("a,b\n\"x, \"\"y\"\"\n2nd line\",\"\"\nplain\"quote,\"q\"tail\n", "t");
    REQUIRE(table.rows.size() == 2);
    CHECK(table.rows[0].cells == Cells{"x, \"y\"\n2nd line", ""});
    CHECK(table.rows[1].cells == Cells{"plain\"quote", "qtail"});
}

TEST_CASE("rows are numbered as a spreadsheet shows them; blank ones are left out and count")
{
    const auto table = parse_csv("a,b\n\n1,\"two\nlines\"\n\n3,4\n", "t");
    REQUIRE(table.rows.size() == 2);
    CHECK(table.rows[0].number == 3);
    CHECK(table.rows[1].number == 5);
}

TEST_CASE("a byte order mark and spaces around cells are no text; Latin-1 is read where UTF-8 is not")
{
    CHECK(parse_csv("\xef\xbb\xbfPatientID , Name\n", "t").header == Cells{"PatientID", "Name"});
    CHECK(parse_csv("a\nM\xc3\xbcller\n", "t").rows[0].cells == Cells{"Müller"});
    CHECK(parse_csv("a\nM\xfcller\n", "t").rows[0].cells == Cells{"Müller"});
}

TEST_CASE("what is no table is refused, with its row")
{
    for (const auto* const text : {"", "\n\r\n", "\xef\xbb\xbf", "  \n"}) {
        CAPTURE(text);
        CHECK_THROWS_WITH(parse_csv(text, "list.csv"), Contains("list.csv") && Contains("no header"));
    }
    CHECK_THROWS_WITH(parse_csv("a,b\n1,2\n3,\"4\n", "t"), Contains("row 3: a quote does not end"));
    try {
        read_csv("/no/such.csv");
        FAIL("read what is not there");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::Usage);
        CHECK(error.subject() == "/no/such.csv");
    }
}

TEST_CASE("a file is read as its text is")
{
    const test::Scratch scratch;
    std::ofstream{scratch / "t.csv"} << "a;b\r\n1;2\r\n";
    CHECK(read_csv(scratch / "t.csv").rows.at(0).cells == Cells{"1", "2"});
}

TEST_CASE("what is written reads as the same cells")
{
    CHECK(csv_line({"a", "b c", ""}) == "a,b c,\r\n");
    const Cells odd{"com,ma", "semi;colon;", "ta\tb", "quo\"te", "line\nbreak", "car\rriage", "", "Müller"};
    const auto table = parse_csv(csv_line(odd) + csv_line(odd), "t");
    CHECK(table.header == odd);
    REQUIRE(table.rows.size() == 1);
    CHECK(table.rows[0].cells == odd);
}
