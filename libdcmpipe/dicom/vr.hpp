#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace dcmpipe::dicom {

/// A Value Representation (PS3.5 §6.2). The value is its two letters, first letter first.
enum class Vr : std::uint16_t {};

constexpr Vr make_vr(char first, char second)
{
    return static_cast<Vr>(static_cast<unsigned char>(first) << 8U | static_cast<unsigned char>(second));
}

namespace vr {
inline constexpr Vr None{};
inline constexpr Vr AE = make_vr('A', 'E');
inline constexpr Vr AS = make_vr('A', 'S');
inline constexpr Vr AT = make_vr('A', 'T');
inline constexpr Vr CS = make_vr('C', 'S');
inline constexpr Vr DA = make_vr('D', 'A');
inline constexpr Vr DS = make_vr('D', 'S');
inline constexpr Vr DT = make_vr('D', 'T');
inline constexpr Vr FD = make_vr('F', 'D');
inline constexpr Vr FL = make_vr('F', 'L');
inline constexpr Vr IS = make_vr('I', 'S');
inline constexpr Vr LO = make_vr('L', 'O');
inline constexpr Vr LT = make_vr('L', 'T');
inline constexpr Vr OB = make_vr('O', 'B');
inline constexpr Vr OD = make_vr('O', 'D');
inline constexpr Vr OF = make_vr('O', 'F');
inline constexpr Vr OL = make_vr('O', 'L');
inline constexpr Vr OV = make_vr('O', 'V');
inline constexpr Vr OW = make_vr('O', 'W');
inline constexpr Vr PN = make_vr('P', 'N');
inline constexpr Vr SH = make_vr('S', 'H');
inline constexpr Vr SL = make_vr('S', 'L');
inline constexpr Vr SQ = make_vr('S', 'Q');
inline constexpr Vr SS = make_vr('S', 'S');
inline constexpr Vr ST = make_vr('S', 'T');
inline constexpr Vr SV = make_vr('S', 'V');
inline constexpr Vr TM = make_vr('T', 'M');
inline constexpr Vr UC = make_vr('U', 'C');
inline constexpr Vr UI = make_vr('U', 'I');
inline constexpr Vr UL = make_vr('U', 'L');
inline constexpr Vr UN = make_vr('U', 'N');
inline constexpr Vr UR = make_vr('U', 'R');
inline constexpr Vr US = make_vr('U', 'S');
inline constexpr Vr UT = make_vr('U', 'T');
inline constexpr Vr UV = make_vr('U', 'V');
} // namespace vr

/// `PN`; empty for items and other things without a VR.
inline std::string to_string(Vr vr)
{
    if (vr == vr::None) {
        return {};
    }
    const auto value = static_cast<unsigned>(vr);
    return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)};
}

/// What PS3.5 says of a VR.
struct VrTraits {
    bool standard = false;      ///< one of Table 6.2-1
    bool short_length = false;  ///< its explicit header has a 16-bit length (Table 7.1-2)
    bool text = false;          ///< values are characters: what a search or a person can read
    bool character_set = false; ///< values are written in the Specific Character Set (§6.1.2.3)
    std::uint8_t unit = 1;      ///< bytes of the unit whose order big endian turns round (§7.3)
};

namespace detail {

/// One row a pair of capital letters: a look-up is one load.
constexpr auto vr_traits = [] {
    constexpr std::string_view all = "AEASATCSDADSDTFDFLISLOLTOBODOFOLOVOWPNSHSLSQSSSTSVTMUCUIULUNURUSUTUV";
    constexpr std::string_view shorts = "AEASATCSDADSDTFDFLISLOLTPNSHSLSSSTTMUIULUS";
    constexpr std::string_view texts = "AEASCSDADSDTISLOLTPNSHSTTMUCUIURUT";
    constexpr std::string_view character_sets = "LOLTPNSHSTUCUT";
    constexpr std::string_view units_of_2 = "ATOWSSUS";
    constexpr std::string_view units_of_4 = "FLOFOLSLUL";
    constexpr std::string_view units_of_8 = "FDODOVSVUV";

    std::array<VrTraits, 26 * 26> rows{};
    const auto each = [&](std::string_view list, auto set) {
        for (std::size_t i = 0; i < list.size(); i += 2) {
            set(rows[static_cast<std::size_t>((list[i] - 'A') * 26 + (list[i + 1] - 'A'))]);
        }
    };
    each(all, [](VrTraits& row) { row.standard = true; });
    each(shorts, [](VrTraits& row) { row.short_length = true; });
    each(texts, [](VrTraits& row) { row.text = true; });
    each(character_sets, [](VrTraits& row) { row.character_set = true; });
    each(units_of_2, [](VrTraits& row) { row.unit = 2; });
    each(units_of_4, [](VrTraits& row) { row.unit = 4; });
    each(units_of_8, [](VrTraits& row) { row.unit = 8; });
    return rows;
}();

} // namespace detail

/// Two bytes that are no capital letters give the traits of nothing.
constexpr VrTraits traits(Vr vr)
{
    const auto first = (static_cast<unsigned>(vr) >> 8U) - 'A';
    const auto second = (static_cast<unsigned>(vr) & 0xffU) - 'A';
    return first < 26 && second < 26 ? detail::vr_traits[first * 26 + second] : VrTraits{};
}

constexpr bool is_standard(Vr vr)
{
    return traits(vr).standard;
}

/// All VRs without it, also those that a later edition may add, have two reserved bytes and a 32-bit length
/// (PS3.5 Table 7.1-1).
constexpr bool has_short_length(Vr vr)
{
    return traits(vr).short_length;
}

constexpr bool is_text(Vr vr)
{
    return traits(vr).text;
}

/// What pads a value to even length (PS3.5 §6.2): a space for text, NUL for UIDs and bytes.
constexpr char padding(Vr vr)
{
    return is_text(vr) && vr != vr::UI ? ' ' : '\0';
}

} // namespace dcmpipe::dicom
