#include "dicom/values.hpp"

#include "dicom/dictionary.hpp"
#include "dicom/uid.hpp"

#include <bit>

#include <fmt/format.h>

namespace dcmpipe::dicom {

namespace {

/// A number of 2, 4 or 8 bytes.
std::uint64_t bits_at(std::string_view bytes, std::uint64_t offset, unsigned size, bool big_endian)
{
    if (size == 2) {
        return read_u16(bytes, offset, big_endian);
    }
    if (size == 4) {
        return read_u32(bytes, offset, big_endian);
    }
    const std::uint64_t first = read_u32(bytes, offset, big_endian);
    const std::uint64_t second = read_u32(bytes, offset + 4, big_endian);
    return big_endian ? first << 32U | second : second << 32U | first;
}

struct Number {
    Vr vr;
    unsigned size;
    std::string (*text)(std::uint64_t bits);
};

const Number numbers[] = {
    {vr::US, 2, [](std::uint64_t bits) { return std::to_string(bits); }},
    {vr::UL, 4, [](std::uint64_t bits) { return std::to_string(bits); }},
    {vr::UV, 8, [](std::uint64_t bits) { return std::to_string(bits); }},
    {vr::SS, 2, [](std::uint64_t bits) { return std::to_string(static_cast<std::int16_t>(bits)); }},
    {vr::SL, 4, [](std::uint64_t bits) { return std::to_string(static_cast<std::int32_t>(bits)); }},
    {vr::SV, 8, [](std::uint64_t bits) { return std::to_string(static_cast<std::int64_t>(bits)); }},
    {vr::FL, 4,
     [](std::uint64_t bits) {
         return fmt::format("{}", std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
     }},
    {vr::FD, 8, [](std::uint64_t bits) { return fmt::format("{}", std::bit_cast<double>(bits)); }},
};

std::vector<std::string> numbers_of(std::string_view value, const Number& kind, bool big_endian)
{
    std::vector<std::string> values;
    for (std::uint64_t at = 0; at + kind.size <= value.size(); at += kind.size) {
        values.push_back(kind.text(bits_at(value, at, kind.size, big_endian)));
    }
    return values;
}

std::vector<std::string> tags_of(std::string_view value, bool big_endian)
{
    std::vector<std::string> values;
    for (std::uint64_t at = 0; at + 4 <= value.size(); at += 4) {
        values.push_back(
            fmt::format("{}", Tag{read_u16(value, at, big_endian), read_u16(value, at + 2, big_endian)}));
    }
    return values;
}

/// Leading spaces mean something in long text only (PS3.5 Table 6.2-1).
std::string_view trimmed(std::string_view value, bool whole)
{
    const auto end = value.find_last_not_of(std::string_view{" \0", 2});
    value = value.substr(0, end == value.npos ? 0 : end + 1);
    if (!whole) {
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    }
    return value;
}

std::vector<std::string> texts_of(std::string_view text, bool whole)
{
    std::vector<std::string> values;
    for (std::size_t start = 0; start <= text.size();) {
        const auto end = whole ? text.size() : std::min(text.find('\\', start), text.size());
        values.emplace_back(trimmed(text.substr(start, end - start), whole));
        start = end + 1;
    }
    return values;
}

} // namespace

std::vector<std::string> values_of(
    const ElementIndex& index, const Element& element, const CharacterSet& characters)
{
    const auto value = index.value(element);
    auto vr = element.vr;
    if (vr == vr::UN || vr == vr::None) {
        vr = dictionary::vr_of(element.tag);
    }
    if (element.container) {
        return {};
    }
    for (const auto& kind : numbers) {
        if (kind.vr == vr) {
            return numbers_of(value, kind, element.encoding.big_endian);
        }
    }
    if (vr == vr::AT) {
        return tags_of(value, element.encoding.big_endian);
    }
    if (!is_text(vr)) {
        return {};
    }
    const bool whole = vr == vr::LT || vr == vr::ST || vr == vr::UT || vr == vr::UR;
    return traits(vr).character_set ? texts_of(characters.to_utf8(value), whole) : texts_of(value, whole);
}

} // namespace dcmpipe::dicom
