#include "deid/token_search.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace dcmpipe::deid {

namespace {

/// Lower case, by one load: the search looks at every byte that stays.
constexpr auto folds = [] {
    std::array<char, 256> table{};
    for (unsigned c = 0; c < table.size(); ++c) {
        table[c] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return table;
}();

constexpr char fold(char c)
{
    return folds[static_cast<unsigned char>(c)];
}

constexpr bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

constexpr bool is_word(char c)
{
    return is_digit(c) || (fold(c) >= 'a' && fold(c) <= 'z') || (c & 0x80) != 0;
}

constexpr bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/// Where one word ends and another begins: `JaneDoe`, `doe2024`, `Doe_Jane`.
constexpr bool is_border(char left, char right)
{
    return !is_word(left) || !is_word(right) || is_digit(left) != is_digit(right) ||
           ((left & 0x80) == 0 && !is_upper(left) && is_upper(right));
}

} // namespace

std::string folded(std::string_view text)
{
    std::string lower{text};
    std::transform(lower.begin(), lower.end(), lower.begin(), fold);
    return lower;
}

/// Four bytes as a number in which the two cases of a letter are the same, and little else is.
std::uint32_t TokenSearch::four_bytes(const char* bytes)
{
    constexpr std::uint32_t case_bits = 0x20202020U;
    std::uint32_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value | case_bits;
}

/// Where in a token the four bytes are that it is found by. UIDs all begin alike and end each in its own way.
std::size_t TokenSearch::anchor_of(const Token& token)
{
    return token.kind == TokenKind::Uid ? token.bytes.size() - shortest : 0;
}

void TokenSearch::add(std::string_view bytes, TokenKind kind, bool weak)
{
    Token token{folded(bytes), kind, weak};
    const auto same = [&](const Token& other) { return other.bytes == token.bytes; };
    if (bytes.size() < shortest) {
        const bool name = kind == TokenKind::Name || kind == TokenKind::NamePart;
        if (name && bytes.size() >= shortest_name &&
            std::none_of(short_names_.begin(), short_names_.end(), same)) {
            short_names_.push_back(std::move(token));
        }
        return;
    }
    token.anchor = four_bytes(token.bytes.data() + anchor_of(token));
    auto& last = last_[slot(token.anchor)];
    for (auto i = last; i != 0; i = tokens_[i - 1].next) {
        if (same(tokens_[i - 1])) {
            return;
        }
    }
    token.next = last;
    tokens_.push_back(std::move(token));
    last = static_cast<std::uint32_t>(tokens_.size());
}

/// A short name inside a longer word, or a number inside a longer number, is no hit.
bool TokenSearch::stands_alone(const Token& token, std::string_view bytes, std::size_t start)
{
    constexpr std::size_t long_name = 6;
    const auto end = start + token.bytes.size();
    const char before = start > 0 ? bytes[start - 1] : ' ';
    const char after = end < bytes.size() ? bytes[end] : ' ';
    const bool number = std::all_of(token.bytes.begin(), token.bytes.end(), is_digit);
    if (number) {
        return !is_digit(before) && !is_digit(after) && before != '.' &&
               !(after == '.' && end + 1 < bytes.size() && is_digit(bytes[end + 1]));
    }
    if (token.kind == TokenKind::Uid) {
        return !is_digit(before) && !is_digit(after);
    }
    if (token.bytes.size() == shortest_name) {
        return !is_word(before) && !is_word(after); // CS4, T2w: two letters beside a digit are no initials
    }
    return token.bytes.size() >= long_name ||
           (is_border(before, bytes[start]) && is_border(bytes[end - 1], after));
}

std::vector<TokenSearch::Hit> TokenSearch::find_all(std::string_view bytes) const
{
    std::vector<Hit> hits;
    if (tokens_.empty()) {
        return hits;
    }
    for (std::size_t at = 0; at + shortest <= bytes.size(); ++at) {
        const auto window = four_bytes(bytes.data() + at);
        for (auto i = last_[slot(window)]; i != 0; i = tokens_[i - 1].next) {
            const Token& token = tokens_[i - 1];
            const auto before = anchor_of(token);
            if (token.anchor != window || before > at) {
                continue;
            }
            const auto start = at - before;
            const auto here = bytes.substr(start, token.bytes.size());
            const bool same = here.size() == token.bytes.size() &&
                              std::equal(here.begin(), here.end(), token.bytes.begin(), [](char a, char b) {
                                  return fold(a) == b;
                              });
            if (same && stands_alone(token, bytes, start)) {
                hits.push_back({start, token.bytes.size(), &token});
            }
        }
    }
    const auto from_left = [](const Hit& a, const Hit& b) { return a.start < b.start; };
    std::stable_sort(hits.begin(), hits.end(), from_left);
    return hits;
}

/// Whole words only; but a name in a script without spaces between words may stand anywhere.
void TokenSearch::find_short_names(std::string_view text, std::vector<Hit>& hits) const
{
    for (const Token& name : short_names_) {
        const bool ideograph = name.bytes.size() == 3 && static_cast<unsigned char>(name.bytes[0]) >= 0xe3;
        for (std::size_t start = 0; start + name.bytes.size() <= text.size(); ++start) {
            const auto here = text.substr(start, name.bytes.size());
            const bool same = std::equal(
                here.begin(), here.end(), name.bytes.begin(), [](char a, char b) { return fold(a) == b; });
            if (same && (ideograph || stands_alone(name, text, start))) {
                hits.push_back({start, name.bytes.size(), &name});
            }
        }
    }
}

std::vector<TokenSearch::Hit> TokenSearch::find_in_text(std::string_view text) const
{
    auto hits = find_all(text);
    find_short_names(text, hits);
    std::stable_sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.start < b.start; });
    return hits;
}

bool TokenSearch::finds_in_text(std::string_view text) const
{
    auto hits = find_in_text(text);
    std::erase_if(hits, [](const Hit& hit) {
        return hit.length == shortest_name ||
               (hit.length < shortest && hit.token->kind == TokenKind::NamePart);
    });
    return counts(std::move(hits));
}

bool TokenSearch::counts(std::vector<Hit> hits)
{
    std::erase_if(hits, [](const Hit& hit) { return hit.token->kind == TokenKind::Place; });
    return std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) {
        return !hit.token->weak || hit.token != hits.front().token;
    });
}

} // namespace dcmpipe::deid
