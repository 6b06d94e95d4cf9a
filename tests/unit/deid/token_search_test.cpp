#include "deid/token_search.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe::deid;

namespace {

TokenSearch names(std::initializer_list<std::string_view> words)
{
    TokenSearch search;
    for (const auto word : words) {
        search.add(word, TokenKind::Name);
    }
    return search;
}

} // namespace

TEST_CASE("a token is found in either case, wherever it stands")
{
    const auto search = names({"Smithson"});
    for (const auto* const text : {"smithson", "of SMITHSON's", "xSmithsonx"}) {
        CAPTURE(text);
        CHECK(search.finds(text));
    }
    CHECK_FALSE(search.finds("smiths"));
    CHECK_FALSE(search.finds(""));
}

TEST_CASE("a short name counts as a word only; words end where the case or the kind of letter changes")
{
    const auto search = names({"Jane"});
    CHECK(search.finds("of Jane."));
    CHECK(search.finds("DoeJane"));
    CHECK(search.finds("jane2024"));
    CHECK(search.finds("CHEST_JANE"));
    CHECK_FALSE(search.finds("janet"));
    CHECK_FALSE(search.finds("trojane"));
}

TEST_CASE("names of two and three bytes are found in text alone")
{
    const auto search = names({"Doe", "Li", "李"});
    CHECK_FALSE(search.finds("of Doe"));
    CHECK(search.finds_in_text("of DOE"));
    CHECK_FALSE(search.finds_in_text("does"));
    CHECK_FALSE(search.finds_in_text("in Li")); // every other abbreviation
    CHECK(search.find_in_text("in Li").size() == 1);
    CHECK(search.find_in_text("protocol_LI4").empty());
    CHECK(search.find_in_text("protocol_doe4").size() == 1);
    CHECK(search.find_in_text("患者李的头部").size() == 1);
}

TEST_CASE("a part of three letters is no hit of its own, a component is")
{
    TokenSearch search;
    search.add("FLT", TokenKind::NamePart);
    CHECK_FALSE(search.finds_in_text("AC_CT FLT"));
    CHECK(search.find_in_text("AC_CT FLT").size() == 1);
}

TEST_CASE("a weak token counts beside another one only")
{
    TokenSearch search;
    search.add("Parkinson", TokenKind::Name, true);
    search.add("James", TokenKind::Name);
    CHECK_FALSE(search.finds("Parkinson protocol"));
    CHECK(search.finds("James"));
    TokenSearch weak;
    weak.add("Parkinson", TokenKind::Name, true);
    weak.add("Stone", TokenKind::Name, true);
    CHECK(weak.finds("Stone, Parkinson"));
}

TEST_CASE("a place is found, and is no hit that counts")
{
    TokenSearch search;
    search.add("Mercy Hospital", TokenKind::Place);
    CHECK(search.find_in_text("at Mercy Hospital").size() == 1);
    CHECK_FALSE(search.finds_in_text("at Mercy Hospital"));
}

TEST_CASE("numbers and UIDs are not found inside longer ones")
{
    TokenSearch search;
    search.add("4711", TokenKind::Id);
    search.add("1.2.3.4.5.6", TokenKind::Uid);
    CHECK(search.finds("id 4711;"));
    CHECK_FALSE(search.finds("147110"));
    CHECK_FALSE(search.finds("0.4711"));
    CHECK_FALSE(search.finds("4711.5"));
    CHECK_FALSE(search.finds("1.2.3.4.5.67"));
    CHECK(search.finds("1.2.3.4.5.6.7")); // what derives from it leads to it
}
