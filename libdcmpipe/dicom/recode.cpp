#include "dicom/recode.hpp"

#include "core/error.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/encode.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::dicom {

namespace {

/// Turns each unit of the value round.
std::string swapped(std::string_view value, unsigned unit)
{
    std::string turned{value};
    for (std::size_t i = 0; i + unit <= turned.size(); i += unit) {
        std::reverse(
            turned.begin() + static_cast<std::ptrdiff_t>(i),
            turned.begin() + static_cast<std::ptrdiff_t>(i + unit));
    }
    return turned;
}

std::string recoded_leaf(const ElementIndex& index, const Element& element, Encoding to)
{
    const auto value = index.value(element);
    const auto unit = traits(element.vr).unit;
    const bool turn = unit > 1 && element.encoding.big_endian != to.big_endian;
    return encode_element(element.tag, element.vr, turn ? swapped(value, unit) : std::string{value}, to);
}

/// A sequence or item of undefined length (PS3.5 §7.5).
std::string with_delimiter(const Element& element, std::string_view content, Encoding to)
{
    auto bytes = encode_header(element.tag, element.is_item() ? vr::None : vr::SQ, 0, to);
    bytes.replace(bytes.size() - 4, 4, 4, '\xff');
    bytes += content;
    return bytes + encode_header(
                       element.is_item() ? tags::ItemDelimitationItem : tags::SequenceDelimitationItem,
                       vr::None, 0, to);
}

} // namespace

/// Containers are few levels deep (the index bounds them), so this may recurse.
std::string recode(const ElementIndex& index, std::uint32_t number, Encoding to)
{
    const Element& element = index[number];
    if (element.encoding == to) {
        return std::string{index.raw(element)};
    }
    if (element.fragments) {
        if (to.big_endian || !to.explicit_vr) {
            throw Error{
                ErrorKind::Input,
                fmt::format("{} is encapsulated: it needs explicit VR little endian", element.tag)};
        }
        return std::string{index.raw(element)};
    }
    if (!element.container) {
        return recoded_leaf(index, element, to);
    }
    std::string content;
    for (auto i = index.first_child(number); i < index.end_of(number); i = index[i].end) {
        content += recode(index, i, to);
    }
    if (element.undefined_length) {
        return with_delimiter(element, content, to);
    }
    return element.is_item() ? encode_item(content, to) : encode_element(element.tag, vr::SQ, content, to);
}

} // namespace dcmpipe::dicom
