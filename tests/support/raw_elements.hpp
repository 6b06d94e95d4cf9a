#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Elements as bytes by hand, without any check and without our own encoder: what tests compare with, and
/// what no library would write. Tags are numbers: 0x00100010.
namespace raw {

inline constexpr std::uint32_t undefined = 0xffffffffU;
inline constexpr std::uint32_t item = 0xfffee000U;
inline constexpr std::uint32_t item_end = 0xfffee00dU;
inline constexpr std::uint32_t sequence_end = 0xfffee0ddU;
inline constexpr std::uint32_t content_sequence = 0x0040a730U;
inline constexpr std::uint32_t pixel_data = 0x7fe00010U;

/// How a data set is written (PS3.5 §7).
struct Form {
    bool explicit_vr = true;
    bool big_endian = false;
    bool defined_lengths = true; ///< of sequences and items
};

inline std::string number(std::uint32_t value, unsigned size, bool big_endian = false)
{
    std::string bytes;
    for (unsigned i = 0; i < size; ++i) {
        bytes += static_cast<char>(value >> 8 * (big_endian ? size - 1 - i : i));
    }
    return bytes;
}

inline std::string u16(std::uint32_t value)
{
    return number(value, 2);
}

inline std::string u32(std::uint32_t value)
{
    return number(value, 4);
}

inline std::string tag(std::uint32_t tag, bool big_endian = false)
{
    return number(tag >> 16U, 2, big_endian) + number(tag & 0xffffU, 2, big_endian);
}

/// Tag and 32-bit length: items, delimiters, implicit VR.
inline std::string header(std::uint32_t tag, std::uint32_t length, bool big_endian = false)
{
    return raw::tag(tag, big_endian) + number(length, 4, big_endian);
}

/// Explicit VR header with two reserved bytes and a 32-bit length.
inline std::string header(
    std::uint32_t tag, std::string_view vr, std::uint32_t length, bool big_endian = false)
{
    return raw::tag(tag, big_endian).append(vr) + std::string(2, '\0') + number(length, 4, big_endian);
}

inline bool is_long(std::string_view vr)
{
    return std::string_view{"OB OD OF OL OV OW SQ SV UC UN UR UT UV"}.find(vr) != std::string_view::npos;
}

/// An element of even length; the value is in the byte order of the form already.
inline std::string element(
    std::uint32_t tag, std::string_view vr, std::string_view value, const Form& form = {})
{
    const auto length = static_cast<std::uint32_t>(value.size());
    if (!form.explicit_vr) {
        return header(tag, length, form.big_endian).append(value);
    }
    if (is_long(vr)) {
        return header(tag, vr, length, form.big_endian).append(value);
    }
    return raw::tag(tag, form.big_endian).append(vr) + number(length, 2, form.big_endian).append(value);
}

/// As element(), padded to even length with a space or, for UIDs and bytes, with NUL.
inline std::string text(std::uint32_t tag, std::string_view vr, std::string value, const Form& form = {})
{
    const bool is_text = vr != "UI" && vr != "UN" && vr.front() != 'O';
    value.append(value.size() % 2, is_text ? ' ' : '\0');
    return element(tag, vr, value, form);
}

/// An item around encoded elements.
inline std::string item_of(std::string_view elements, const Form& form = {})
{
    if (form.defined_lengths) {
        return header(item, static_cast<std::uint32_t>(elements.size()), form.big_endian).append(elements);
    }
    return header(item, undefined, form.big_endian).append(elements) + header(item_end, 0, form.big_endian);
}

/// A sequence around encoded items.
inline std::string sequence(
    std::uint32_t tag, std::string_view items, const Form& form = {}, std::string_view vr = "SQ")
{
    const auto length = form.defined_lengths ? static_cast<std::uint32_t>(items.size()) : undefined;
    auto bytes =
        form.explicit_vr ? header(tag, vr, length, form.big_endian) : header(tag, length, form.big_endian);
    return bytes.append(items) + (form.defined_lengths ? "" : header(sequence_end, 0, form.big_endian));
}

/// Preamble, prefix and file meta information that names this syntax (PS3.10 §7.1).
inline std::string meta(std::string_view transfer_syntax)
{
    const auto group = element(0x00020001, "OB", std::string_view{"\0\1", 2}) +
                       text(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7") +
                       text(0x00020003, "UI", "2.25.4711") +
                       text(0x00020010, "UI", std::string{transfer_syntax});
    return std::string(128, '\0') + "DICM" +
           element(0x00020000, "UL", u32(static_cast<std::uint32_t>(group.size()))) + group;
}

/// The first few elements of a data set.
inline std::string start(const Form& form = {})
{
    return text(0x00080005, "CS", "ISO_IR 100", form) +
           text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7", form) +
           text(0x00080018, "UI", "2.25.4711", form) + text(0x00100010, "PN", "Bad^Input", form);
}

/// meta() of explicit VR little endian, and start().
inline std::string file()
{
    return meta("1.2.840.10008.1.2.1") + start();
}

/// Some text many times.
inline std::string repeat(std::string_view what, std::size_t times)
{
    std::string all;
    all.reserve(what.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        all += what;
    }
    return all;
}

} // namespace raw
