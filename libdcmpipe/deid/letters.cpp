#include "deid/letters.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace dcmpipe::deid {

namespace {

constexpr unsigned latin_first = 0xc0;
constexpr unsigned latin_last = 0x17f;

/// What a typist without the letter writes: of U+00C0 to U+017F, in order; `*` where there is no such thing.
constexpr std::string_view plain_letters = "AAAAAA*CEEEEIIIIDNOOOOO*OUUUUY**aaaaaa*ceeeeiiiidnooooo*ouuuuy*y"
                                           "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi**JjKkkLlLlLl*"
                                           "*LlNnNnNnnNnOoOoOo**RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
static_assert(plain_letters.size() == latin_last - latin_first + 1);

struct Resolved {
    unsigned code;
    std::string_view letters;
};
constexpr std::array resolved{
    Resolved{0xc4, "AE"},  Resolved{0xc5, "AA"}, Resolved{0xc6, "AE"}, Resolved{0xd6, "OE"},
    Resolved{0xd8, "OE"},  Resolved{0xdc, "UE"}, Resolved{0xde, "TH"}, Resolved{0xdf, "ss"},
    Resolved{0xe4, "ae"},  Resolved{0xe5, "aa"}, Resolved{0xe6, "ae"}, Resolved{0xf6, "oe"},
    Resolved{0xf8, "oe"},  Resolved{0xfc, "ue"}, Resolved{0xfe, "th"}, Resolved{0x152, "OE"},
    Resolved{0x153, "oe"},
};

/// Greek letters with a mark, and without: capitals are written without.
struct Marked {
    unsigned code;
    unsigned plain;
};
constexpr std::array marked{
    Marked{0x386, 0x391}, Marked{0x388, 0x395}, Marked{0x389, 0x397}, Marked{0x38a, 0x399},
    Marked{0x38c, 0x39f}, Marked{0x38e, 0x3a5}, Marked{0x38f, 0x3a9}, Marked{0x3ac, 0x3b1},
    Marked{0x3ad, 0x3b5}, Marked{0x3ae, 0x3b7}, Marked{0x3af, 0x3b9}, Marked{0x3cc, 0x3bf},
    Marked{0x3cd, 0x3c5}, Marked{0x3ce, 0x3c9},
};
constexpr unsigned final_sigma = 0x3c2;

/// Calls `letter` with each code point of two bytes, `other` with each other byte.
template <class Letter, class Other>
void walk(std::string_view text, Letter letter, Other other)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead >= 0xc3 && lead <= 0xd1 && i + 1 < text.size()) {
            letter((lead & 0x1fU) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3fU));
        } else {
            other(text[i]);
        }
    }
}

void append(std::string& text, unsigned code)
{
    text += static_cast<char>(0xc0U | code >> 6U);
    text += static_cast<char>(0x80U | (code & 0x3fU));
}

unsigned in_case(unsigned code, bool upper)
{
    const auto moved = [&](unsigned first, unsigned last, unsigned distance) -> std::optional<unsigned> {
        if (upper && code >= first + distance && code <= last + distance) {
            return code - distance;
        }
        if (!upper && code >= first && code <= last) {
            return code + distance;
        }
        return std::nullopt;
    };
    // Pairs of neighbours; in two runs the odd one is the capital.
    if ((code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17e)) {
        return upper ? code - (code % 2 == 0 ? 1 : 0) : code + code % 2;
    }
    if (code == 0x178 || code == 0xff) {
        return upper ? 0x178 : 0xff;
    }
    if (code >= 0x100 && code <= 0x177 && code != 0x138 && code != 0x130 && code != 0x131) {
        return upper ? code & ~1U : code | 1U;
    }
    if (code == final_sigma) {
        return upper ? code - 0x1f : code;
    }
    if (const auto* const here =
            std::find_if(marked.begin(), marked.end(), [&](const Marked& m) { return m.code == code; });
        here != marked.end()) {
        constexpr std::size_t pairs = marked.size() / 2; // capitals first, in the order of the small ones
        const auto at = static_cast<std::size_t>(here - marked.begin()) % pairs;
        return marked[upper ? at : at + pairs].code;
    }
    for (const auto& [first, last, distance] :
         {std::array{0xc0U, 0xdeU, 0x20U}, std::array{0x391U, 0x3a9U, 0x20U},
          std::array{0x400U, 0x40fU, 0x50U}, std::array{0x410U, 0x42fU, 0x20U}}) {
        if (const auto other = moved(first, last, distance)) {
            return *other;
        }
    }
    return code;
}

std::string cased(std::string_view text, bool upper)
{
    std::string changed;
    walk(
        text, [&](unsigned code) { append(changed, in_case(code, upper)); },
        [&](char c) {
            const bool letter = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
            changed += letter ? static_cast<char>(c ^ 0x20) : c;
        });
    return changed;
}

bool is_letter(char c)
{
    return (c & 0x80) != 0 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Capitals where words begin. Both cases of a text have the same length.
std::string titled(std::string_view upper, std::string_view lower)
{
    std::string text;
    bool inside = false;
    const std::string_view* from = &upper;
    for (std::size_t i = 0; i < lower.size(); ++i) {
        const bool continued = (lower[i] & 0xc0) == 0x80;
        if (!continued) {
            from = inside ? &lower : &upper;
        }
        text += (*from)[i];
        inside = is_letter(lower[i]);
    }
    return text;
}

std::string plain(std::string_view text, bool resolve)
{
    std::string changed;
    walk(
        text,
        [&](unsigned code) {
            const auto* const pair = std::find_if(
                resolved.begin(), resolved.end(), [&](const Resolved& r) { return r.code == code; });
            const auto* const greek =
                std::find_if(marked.begin(), marked.end(), [&](const Marked& m) { return m.code == code; });
            const bool latin = code >= latin_first && code <= latin_last;
            const char letter = latin ? plain_letters[code - latin_first] : '*';
            if (pair != resolved.end() && (resolve || letter == '*')) {
                changed += pair->letters;
            } else if (letter != '*') {
                changed += letter;
            } else {
                append(changed, greek != marked.end() ? greek->plain : code);
            }
        },
        [&](char c) { changed += c; });
    return changed;
}

} // namespace

std::vector<std::string> written_forms(std::string_view text)
{
    const auto upper = cased(text, true);
    const auto lower = cased(text, false);
    const auto bare = plain(text, false);
    std::vector<std::string> forms;
    for (const auto& form :
         {upper, lower, titled(upper, lower), bare, cased(bare, true), cased(bare, false),
          plain(text, true)}) {
        if (form != text && std::find(forms.begin(), forms.end(), form) == forms.end()) {
            forms.push_back(form);
        }
    }
    return forms;
}

} // namespace dcmpipe::deid
