#include "deid/dates.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe::deid;

TEST_CASE("DA moves by days, over months, years and leap days")
{
    CHECK(shift_da("20240115", 7) == "20240108");
    CHECK(shift_da("20240301", 1) == "20240229");
    CHECK(shift_da("20230301", 1) == "20230228");
    CHECK(shift_da("20240101", 3542) == "20140421");
    CHECK(shift_da("19700203", 0) == "19700203");
}

TEST_CASE("several, padded, empty and old forms of DA are read; the form stays")
{
    CHECK(shift_da("20240115\\20240116", 7) == "20240108\\20240109");
    CHECK(shift_da("20240115\\", 7) == "20240108\\");
    CHECK(shift_da("2024.01.15", 7) == "2024.01.08");
    CHECK(shift_da("20240115 ", 7) == "20240108");
    CHECK(shift_da("", 7) == "");
}

TEST_CASE("what is no date is not let pass")
{
    for (const auto* const value :
         {"2024", "202401", "20241301", "20230229", "2024-01-15", "yesterday", "20240115120000",
          "00000000"}) {
        CAPTURE(value);
        CHECK_FALSE(shift_da(value, 7));
    }
}

TEST_CASE("DT keeps time, fraction and offset; it moves by days near midnight too")
{
    CHECK(shift_dt("20240115233000.123456+0100", 7) == "20240108233000.123456+0100");
    CHECK(shift_dt("20240115", 7) == "20240108");
    CHECK(shift_dt("2024011523", 7) == "2024010823");
    CHECK(shift_dt("20240115235959-0500", 1) == "20240114235959-0500");
}

TEST_CASE("a partial DT stays partial and moves as its middle does")
{
    CHECK(shift_dt("2024", 364) == "2023");
    CHECK(shift_dt("2024", 7) == "2024");
    CHECK(shift_dt("202403", 364) == "202303");
    CHECK(shift_dt("2024+0100", 364) == "2023+0100");
}

TEST_CASE("what is no DT is not let pass")
{
    for (const auto* const value :
         {"20240115250000", "20240115236000", "2024011", "20240115+01", "now", "20240115T12"}) {
        CAPTURE(value);
        CHECK_FALSE(shift_dt(value, 7));
    }
}

TEST_CASE("ages above 89 years become 090Y in every unit; others stay")
{
    CHECK(cap_age("092Y") == "090Y");
    CHECK(cap_age("090Y") == "090Y");
    CHECK(cap_age("089Y") == "089Y");
    CHECK(cap_age("999M") == "999M");
    CHECK(cap_age("006M") == "006M");
    CHECK(cap_age("010D\\095Y") == "010D\\090Y");
    CHECK(cap_age("") == "");
    CHECK_FALSE(cap_age("92"));
    CHECK_FALSE(cap_age("ninety"));
}

TEST_CASE("TM in its new and old forms")
{
    for (const auto* const value :
         {"12", "1230", "123059", "123059.5", "12:30:59.123456", "235960", "", "1230\\1231"}) {
        CAPTURE(value);
        CHECK(is_tm(value));
    }
    for (const auto* const value : {"24", "1", "126000", "noon", "12305", "1230.5"}) {
        CAPTURE(value);
        CHECK_FALSE(is_tm(value));
    }
}

TEST_CASE("dates cut to year or month stay valid dates")
{
    CHECK(truncate_da("20240315", true) == "20240301");
    CHECK(truncate_da("20240315", false) == "20240101");
    CHECK(truncate_da("2024.03.15", false) == "2024.01.01");
    CHECK_FALSE(truncate_da("soon", true));
}
