#include "text.hpp"

#include <array>
#include <stdexcept>

#include <iconv.h>

namespace studies {

namespace {

std::string convert(std::string_view utf8, const char* to)
{
    const iconv_t descriptor = ::iconv_open(to, "UTF-8");
    std::array<char, 1024> room;
    char* in = const_cast<char*>(utf8.data());
    std::size_t left = utf8.size();
    char* out = room.data();
    std::size_t free = room.size();
    const bool good = ::iconv(descriptor, &in, &left, &out, &free) != static_cast<std::size_t>(-1);
    ::iconv_close(descriptor);
    if (!good) {
        throw std::runtime_error{"no " + std::string{to} + " for: " + std::string{utf8}};
    }
    return {room.data(), out};
}

constexpr bool resets(char c)
{
    return c == '^' || c == '=' || c == '\\' || c == '\r' || c == '\n' || c == '\t' || c == '\f';
}

std::string_view first_letter(std::string_view utf8)
{
    std::size_t size = 1;
    while (size < utf8.size() && (utf8[size] & 0xc0) == 0x80) {
        ++size;
    }
    return utf8.substr(0, size);
}

/// JIS X 0208 between its escape sequences; half-width katakana (0x8e in EUC) as the single bytes of G1.
std::string japanese(std::string_view utf8, std::string_view back_to_single)
{
    constexpr char katakana = '\x8e';
    std::string bytes;
    bool kanji = false;
    while (!utf8.empty()) {
        const auto letter = first_letter(utf8);
        auto code = convert(letter, "EUC-JP");
        const bool wide = code.size() == 2 && code[0] != katakana;
        if (wide != kanji) {
            bytes += wide ? "\x1b$B" : back_to_single;
            kanji = wide;
        }
        for (char& c : code) {
            c = static_cast<char>(wide ? c & 0x7f : c);
        }
        bytes += code.size() == 2 && !wide ? code.substr(1) : code;
        utf8.remove_prefix(letter.size());
    }
    return bytes.append(kanji ? back_to_single : "");
}

/// KS X 1001 in G1: designated anew wherever a delimiter has reset it.
std::string korean(std::string_view utf8)
{
    std::string bytes;
    bool designated = false;
    while (!utf8.empty()) {
        const auto letter = first_letter(utf8);
        if (letter.size() > 1 && !designated) {
            bytes += "\x1b$)C";
            designated = true;
        }
        bytes += convert(letter, "EUC-KR");
        designated = designated && !resets(letter.front());
        utf8.remove_prefix(letter.size());
    }
    return bytes;
}

/// In pieces, so that the delimiters of names, values and lines stand in the initial state.
template <class Encode>
std::string by_pieces(std::string_view utf8, Encode encode)
{
    std::string bytes;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= utf8.size(); ++i) {
        if (i == utf8.size() || resets(utf8[i])) {
            bytes += encode(utf8.substr(start, i - start));
            bytes += utf8.substr(i, 1);
            start = i + 1;
        }
    }
    return bytes;
}

} // namespace

std::string encode_text(std::string_view utf8, std::string_view character_set)
{
    if (character_set == "\\ISO 2022 IR 149") {
        return korean(utf8);
    }
    if (character_set == "\\ISO 2022 IR 87") {
        return by_pieces(utf8, [](std::string_view piece) { return japanese(piece, "\x1b(B"); });
    }
    if (character_set == "ISO 2022 IR 13\\ISO 2022 IR 87") {
        return by_pieces(utf8, [](std::string_view piece) { return japanese(piece, "\x1b(J"); });
    }
    static constexpr std::array<std::pair<std::string_view, const char*>, 7> single{{
        {"", "ASCII"},
        {"ISO_IR 100", "ISO-8859-1"},
        {"ISO_IR 126", "ISO-8859-7"},
        {"ISO_IR 127", "ISO-8859-6"},
        {"ISO_IR 144", "ISO-8859-5"},
        {"ISO_IR 192", "UTF-8"},
        {"GB18030", "GB18030"},
    }};
    for (const auto& [term, name] : single) {
        if (term == character_set) {
            return convert(utf8, name);
        }
    }
    throw std::runtime_error{"no way to write " + std::string{character_set}};
}

std::string_view without_outer_escapes(std::string_view bytes)
{
    while (bytes.size() > 3 && bytes.front() == '\x1b') {
        bytes.remove_prefix(bytes.starts_with("\x1b$)") ? 4 : 3);
    }
    if (bytes.size() > 3 && bytes[bytes.size() - 3] == '\x1b') {
        bytes.remove_suffix(3);
    }
    return bytes;
}

} // namespace studies
