#include "dicom/charset.hpp"

#include "core/utf8.hpp"

#include <catch2/catch.hpp>

#include <random>

using dcmpipe::is_utf8;
using dcmpipe::dicom::CharacterSet;

namespace {

std::string decoded(std::string_view character_set, std::string_view bytes)
{
    return CharacterSet{character_set}.to_utf8(bytes);
}

} // namespace

TEST_CASE("single byte sets")
{
    CHECK(
        decoded(
            "ISO_IR 100", "\xc4neas^R\xfc"
                          "diger") == "Äneas^Rüdiger");
    CHECK(decoded("ISO_IR 101", "W\xb3och") == "Włoch");
    CHECK(
        decoded(
            "ISO_IR 109", "\xa1"
                          "ejtun") == "Ħejtun");
    CHECK(decoded("ISO_IR 110", "B\xbarzi\xf1\xb9") == "Bērziņš");
    CHECK(decoded("ISO_IR 126", "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2") == "Διονυσιος");
    CHECK(decoded("ISO_IR 127", "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1") == "قباني^لنزار");
    CHECK(decoded("ISO_IR 138", "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4") == "שרון^דבורה");
    CHECK(decoded("ISO_IR 144", "\xbb\xee\xda\xe1\xd5\xdc\xd1\xe3\xe0\xd3") == "Люксембург");
    CHECK(
        decoded(
            "ISO_IR 148", "\xc7"
                          "avu\xfeo\xf0lu") == "Çavuşoğlu");
    CHECK(decoded("ISO_IR 203", "5 \xa4") == "5 €");
    CHECK(decoded("ISO_IR 166", "\xa1\xa2") == "กข");
    CHECK(decoded("ISO_IR 13", "\xd4\xcf\xc0\xde^\xc0\xdb\xb3") == "ﾔﾏﾀﾞ^ﾀﾛｳ");
    CHECK(decoded("ISO_IR 13", "A\\\xd4~\\B") == "A\\ﾔ~\\B");
    CHECK(decoded("ISO_IR 13", "A\\B") == "A\\B");
}

TEST_CASE("multi-byte sets without code extension")
{
    CHECK(decoded("ISO_IR 192", "Wang^XiaoDong=王^小東=") == "Wang^XiaoDong=王^小東=");
    CHECK(decoded("GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=") == "Wang^XiaoDong=王^小东=");
    CHECK(decoded("GBK", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=") == "Wang^XiaoDong=王^小东=");
    // The second byte of a letter may be a backslash.
    CHECK(decoded("GB18030", "\x81\x5c") == "乗");
}

TEST_CASE("Japanese by code extension (PS3.5 Annex H)")
{
    CHECK(
        decoded(
            "\\ISO 2022 IR 87",
            "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B="
            "\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B") == "Yamada^Tarou=山田^太郎=やまだ^たろう");
    CHECK(
        decoded(
            "ISO 2022 IR 13\\ISO 2022 IR 87",
            "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J="
            "\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J") == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう");
    // JIS X 0212 beside JIS X 0208; bytes of letters that look like delimiters.
    CHECK(decoded("\\ISO 2022 IR 87\\ISO 2022 IR 159", "\x1b$(D0!\x1b$B==\x1b(B") == "丂十");
    CHECK(decoded("ISO 2022 IR 87", "\x1b$BK\\\x1b(B\\x") == "本\\x");
}

TEST_CASE("Korean and Chinese by code extension (PS3.5 Annexes I and K)")
{
    CHECK(
        decoded(
            "\\ISO 2022 IR 149",
            "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7="
            "\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf") == "Hong^Gildong=洪^吉洞=홍^길동");
    CHECK(
        decoded("\\ISO 2022 IR 58", "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=") ==
        "Zhang^XiaoDong=张^小东=");
    CHECK(decoded("\\ISO 2022 IR 149", "line 1\r\n\x1b$)C\xb1\xe6\r\nline 3") == "line 1\r\n길\r\nline 3");
}

TEST_CASE("single byte sets by code extension")
{
    CHECK(
        decoded(
            "ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126",
            "Dionysios is \x1b-F\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2") == "Dionysios is Διονυσιος");
    CHECK(decoded("ISO 2022 IR 100\\ISO 2022 IR 126", "\x1b-F\xc4^\xc4") == "Δ^Ä");
    CHECK(decoded("\\ISO 2022 IR 144", "Luxembourg=\x1b-L\xbb\xee") == "Luxembourg=Лю");
}

TEST_CASE("a line that ends in kanji ends them as well")
{
    CHECK(decoded("\\ISO 2022 IR 87", "\x1b$B;3ED\r\nTarou\x1b$BB@O:") == "山田\r\nTarou太郎");
    CHECK(decoded("\\ISO 2022 IR 87", "\x1b$B;3 ED\x1b(B") == "山 田");
}

TEST_CASE("frequent misspellings are understood")
{
    for (const auto* const term :
         {"ISO_IR 100", "ISO IR 100", "ISO-IR 100", "ISO_IR_100", "ISO IR_100", "iso_ir 100", " ISO_IR 100 ",
          "ISO8859-1", "latin1", "ISO 2022 IR 100", "ISO_2022_IR_100", "ISO2022IR100"}) {
        CAPTURE(term);
        CHECK(decoded(term, "\xfc") == "ü");
    }
    CHECK(decoded("UTF-8", "ü") == "ü");
    CHECK(decoded("utf8", "ü") == "ü");
}

TEST_CASE("an undeclared set is UTF-8 where it can be, else Latin-1")
{
    for (const auto* const term : {"", "ISO_IR 6", "ISO_IR 999", "nonsense"}) {
        CAPTURE(term);
        CHECK(decoded(term, "plain") == "plain");
        CHECK(decoded(term, "M\xc3\xbcller") == "Müller");
        CHECK(decoded(term, "M\xfcller") == "Müller");
    }
}

TEST_CASE("bytes that mean nothing become U+FFFD, and never more")
{
    CHECK(
        decoded(
            "ISO_IR 192", "a\xff"
                          "b") == "a\ufffdb");
    CHECK(
        decoded(
            "ISO_IR 126", "a\xff"
                          "b") == "a\ufffdb");
    CHECK(decoded("GB18030", "a\xff") == "a\ufffd");
    CHECK(decoded("\\ISO 2022 IR 87", "\x1b$B;") == "\ufffd");
    CHECK(decoded("\\ISO 2022 IR 149", "\x1b$)C\xb1") == "\ufffd");
    CHECK(decoded("ISO 2022 IR 6\\ISO 2022 IR 87", "M\xfcller") == "M\ufffdller");
}

TEST_CASE("whatever the bytes, the result is UTF-8")
{
    std::mt19937 random{7};
    const std::string_view pieces[] = {"\x1b$B", "\x1b(B", "\x1b(J", "\x1b$(D", "\x1b$)C", "\x1b$)A",
                                       "\x1b-F", "\x1b",   "^",      "=",       "\\",      "\r\n",
                                       "a",      "\x1b)I", "\x1b.",  "\x80"};
    for (const auto* const term :
         {"", "ISO_IR 100", "ISO_IR 192", "GB18030", "GBK", "ISO_IR 13", "ISO_IR 166", "\\ISO 2022 IR 87",
          "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58",
          "ISO 2022 IR 100\\ISO 2022 IR 126\\ISO 2022 IR 203"}) {
        const CharacterSet set{term};
        for (int round = 0; round < 300; ++round) {
            std::string bytes;
            for (auto count = random() % 30; count > 0; --count) {
                if (random() % 3 == 0) {
                    bytes += pieces[random() % std::size(pieces)];
                } else {
                    bytes += static_cast<char>(random());
                }
            }
            INFO(term);
            REQUIRE(is_utf8(set.to_utf8(bytes)));
        }
    }
}

TEST_CASE("what a set has no place for does not go back into it, whatever the converter can do")
{
    const CharacterSet set{"ISO_IR 13"};
    CHECK(set.from_utf8("\uff94") == "\xd4");
    CHECK(set.from_utf8("山") == std::nullopt);
}

TEST_CASE("a set can be moved and used many times")
{
    CharacterSet first{"\\ISO 2022 IR 87"};
    const auto text = first.to_utf8("\x1b$B;3ED\x1b(B");
    const CharacterSet second = std::move(first);
    CHECK(second.to_utf8("\x1b$B;3ED\x1b(B") == text);
    CHECK(second.to_utf8("").empty());
}

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
