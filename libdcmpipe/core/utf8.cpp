#include "core/utf8.hpp"

#include <algorithm>

namespace dcmpipe {

namespace {

/// Bytes of the character that `text` starts with; 0 where it starts with none.
std::size_t character_size(std::string_view text) noexcept
{
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t size = byte < 0x80   ? 1
                             : byte < 0xc2 ? 0
                             : byte < 0xe0 ? 2
                             : byte < 0xf0 ? 3
                             : byte < 0xf5 ? 4
                                           : 0;
    if (size > text.size()) {
        return 0;
    }
    const bool follows = std::all_of(
        text.begin() + std::min<std::ptrdiff_t>(1, static_cast<std::ptrdiff_t>(size)),
        text.begin() + static_cast<std::ptrdiff_t>(size),
        [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; });
    const auto second = size > 1 ? static_cast<unsigned char>(text[1]) : 0U;
    const bool overlong = (byte == 0xe0 && second < 0xa0) || (byte == 0xf0 && second < 0x90);
    const bool beyond = (byte == 0xed && second >= 0xa0) || (byte == 0xf4 && second >= 0x90);
    return follows && !overlong && !beyond ? size : 0;
}

} // namespace

bool is_utf8(std::string_view text) noexcept
{
    while (!text.empty()) {
        const auto size = character_size(text);
        if (size == 0) {
            return false;
        }
        text.remove_prefix(size);
    }
    return true;
}

std::string made_utf8(std::string_view text)
{
    std::string utf8;
    while (!text.empty()) {
        const auto size = character_size(text);
        utf8 += size > 0 ? text.substr(0, size) : std::string_view{"\xef\xbf\xbd"};
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return utf8;
}

std::string from_latin1(std::string_view text)
{
    std::string utf8;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            utf8 += c;
        } else {
            utf8 += static_cast<char>(0xc0U | byte >> 6U);
            utf8 += static_cast<char>(0x80U | (byte & 0x3fU));
        }
    }
    return utf8;
}

} // namespace dcmpipe
