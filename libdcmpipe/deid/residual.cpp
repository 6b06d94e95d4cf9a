#include "deid/residual.hpp"

#include "dicom/charset.hpp"

#include <algorithm>
#include <string_view>

namespace dcmpipe::deid {

namespace vr = dicom::vr;

namespace {

/// Bulk data longer than this is not text that somebody wrote.
constexpr std::uint64_t longest_text = 64 * 1024;

/// A shorter number in a number is chance: patients and series are both counted from one.
constexpr std::size_t telling_number = 7;

bool is_searched(const dicom::Element& element, Residual residual)
{
    if (residual == Residual::Off || element.container) {
        return false;
    }
    if (element.vr == vr::IS || element.vr == vr::DS) {
        return element.length >= telling_number;
    }
    return residual == Residual::Full || dicom::is_text(element.vr) || element.length <= longest_text;
}

} // namespace

bool residual_names_patient(
    const dicom::ElementIndex& index, std::uint32_t element, const Identity& identity, Residual residual)
{
    if (!is_searched(index[element], residual)) {
        return false;
    }
    const auto value = index.value(index[element]);
    // A code string is a word of the standard's: a short name in it is chance, too.
    if (!dicom::traits(index[element].vr).character_set) {
        return identity.shows_in(value);
    }
    constexpr char escape = '\x1b';
    const bool plain =
        std::none_of(value.begin(), value.end(), [](char c) { return (c & 0x80) != 0 || c == escape; });
    return identity.shows_in_text(value) ||
           (!plain && identity.shows_in_text(
                          dicom::CharacterSet{dicom::character_set_at(index, element)}.to_utf8(value)));
}

} // namespace dcmpipe::deid
