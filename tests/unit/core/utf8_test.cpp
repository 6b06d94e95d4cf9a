#include "core/utf8.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace dcmpipe;

TEST_CASE("well-formed UTF-8 is told from what only looks like it")
{
    for (const auto* const good : {"", "a", "ü", "€", "山", "🏠", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
        CAPTURE(good);
        CHECK(is_utf8(good));
    }
    for (const auto* const bad :
         {"\x80", "\xc3", "\xc0\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
          "\xf5\x80\x80\x80", "\xc3\x28", "\xe2\x82", "\xff"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_utf8(bad));
    }
}

TEST_CASE("what is no character is replaced byte by byte, the rest stays")
{
    CHECK(made_utf8("Mü山🏠") == "Mü山🏠");
    CHECK(
        made_utf8("a\xff\xfe"
                  "b") == "a\ufffd\ufffdb");
    CHECK(made_utf8("\xe5\xb1") == "\ufffd\ufffd");
    CHECK(made_utf8("\xf5\xa1\xb6\xab.") == "\ufffd\ufffd\ufffd\ufffd.");
    CHECK(made_utf8("").empty());
}

TEST_CASE("every byte has a reading in Latin-1")
{
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all += static_cast<char>(byte);
    }
    const auto text = from_latin1(all);
    CHECK(is_utf8(text));
    CHECK(text.size() == 128 + 2 * 128);
    CHECK(from_latin1("M\xfcller \xff") == "Müller ÿ");
    CHECK(from_latin1("").empty());
}
