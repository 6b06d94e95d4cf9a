#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace dcmpipe::dicom {

/// A Data Element Tag (PS3.5 §7.1): group and element number in one value, ordered as in a data set.
struct Tag {
    std::uint32_t value = 0;

    constexpr Tag() = default;
    constexpr explicit Tag(std::uint32_t group_and_element) : value(group_and_element) {}
    constexpr Tag(std::uint16_t group, std::uint16_t element)
        : value(static_cast<std::uint32_t>(group) << 16U | element)
    {
    }

    constexpr std::uint16_t group() const { return static_cast<std::uint16_t>(value >> 16U); }
    constexpr std::uint16_t element() const { return static_cast<std::uint16_t>(value & 0xffffU); }

    /// PS3.5 §7.8: an odd group.
    constexpr bool is_private() const { return (value & 0x10000U) != 0; }
    /// PS3.5 §7.8.1: (gggg,0010-00FF) with gggg odd reserves a block of private elements.
    constexpr bool is_private_creator() const
    {
        return is_private() && element() >= 0x10 && element() <= 0xff;
    }
    /// PS3.5 §7.2: (gggg,0000).
    constexpr bool is_group_length() const { return element() == 0; }

    constexpr auto operator<=>(const Tag&) const = default;
};

namespace tags {
inline constexpr Tag Item{0xfffe, 0xe000};
inline constexpr Tag ItemDelimitationItem{0xfffe, 0xe00d};
inline constexpr Tag SequenceDelimitationItem{0xfffe, 0xe0dd};
} // namespace tags

} // namespace dcmpipe::dicom

/// Written as (0010,0020).
template <>
struct fmt::formatter<dcmpipe::dicom::Tag> {
    static constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
    static auto format(dcmpipe::dicom::Tag tag, fmt::format_context& context)
    {
        return fmt::format_to(context.out(), "({:04X},{:04X})", tag.group(), tag.element());
    }
};
