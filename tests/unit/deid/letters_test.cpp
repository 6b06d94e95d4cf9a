#include "deid/letters.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using dcmpipe::deid::written_forms;

namespace {

bool is_form(const std::string& text, const std::string& form)
{
    const auto forms = written_forms(text);
    return std::find(forms.begin(), forms.end(), form) != forms.end();
}

} // namespace

TEST_CASE("names in capitals, in small letters, with capitals in front; in three alphabets")
{
    CHECK(is_form("Łuczyński", "ŁUCZYŃSKI"));
    CHECK(is_form("ŁUCZYŃSKI", "łuczyński"));
    CHECK(is_form("ŁUCZYŃSKI", "Łuczyński"));
    CHECK(is_form("żaneta", "ŻANETA"));
    CHECK(is_form("Чайковская", "ЧАЙКОВСКАЯ"));
    CHECK(is_form("Ёлкин", "ёлкин"));
    CHECK(is_form("MÜLLER-LÜDENSCHEIDT", "Müller-Lüdenscheidt"));
}

TEST_CASE("Greek capitals stand without marks, and sigma has two small forms")
{
    CHECK(is_form("Παπαδόπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ"));
    CHECK(is_form("Παπαδόπουλος", "ΠΑΠΑΔΌΠΟΥΛΟΣ"));
    CHECK(is_form("Παπαδόπουλος", "παπαδόπουλος"));
}

TEST_CASE("Latin letters without their marks, and as typists resolve them")
{
    CHECK(is_form("Łuczyński", "Luczynski"));
    CHECK(is_form("Müller", "Muller"));
    CHECK(is_form("Müller", "Mueller"));
    CHECK(is_form("Größmann", "Groessmann"));
    CHECK(is_form("Øst", "Ost"));
    CHECK(is_form("Żółć", "ZOLC"));
}

TEST_CASE("other scripts stay as they are; no form is the text itself")
{
    CHECK(written_forms("山田").empty());
    CHECK(written_forms("דבורה").empty());
    CHECK_FALSE(is_form("Doe", "Doe"));
    CHECK(is_form("Doe", "DOE"));
}
