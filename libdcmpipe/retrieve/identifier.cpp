#include "retrieve/identifier.hpp"

#include "core/error.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/element_index.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace tags = dicom::tags;

namespace {

bool is_ascii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

} // namespace

std::string encode_identifier(
    const Attributes& attributes, Level level, std::string_view transfer_syntax,
    std::string_view character_set)
{
    const bool plain = std::all_of(
        attributes.begin(), attributes.end(), [](const auto& entry) { return is_ascii(entry.second); });
    const dicom::CharacterSet characters{character_set};
    auto all = attributes;
    all[tags::SpecificCharacterSet] = plain ? "" : character_set;
    all[tags::QueryRetrieveLevel] = name_of(level);
    const auto encoding = dicom::transfer_syntax::encoding_of(transfer_syntax);
    std::string bytes;
    for (const auto& [tag, value] : all) {
        const auto vr = dicom::dictionary::vr_of(tag);
        const auto written = is_ascii(value) ? value : characters.from_utf8(value);
        if (!written) {
            throw Error{
                ErrorKind::Usage, fmt::format(
                                      "{} holds characters that {} does not have: see --character-set",
                                      dicom::dictionary::name_of(tag), character_set)};
        }
        bytes += dicom::encode_element(tag, vr, *written, encoding);
    }
    return bytes;
}

Attributes decode_identifier(
    std::string_view bytes, std::string_view transfer_syntax, std::string_view otherwise)
try {
    const auto index = dicom::ElementIndex::walk(bytes, dicom::transfer_syntax::encoding_of(transfer_syntax));
    const auto named = index.text(tags::SpecificCharacterSet);
    const dicom::CharacterSet characters{named.empty() ? otherwise : named};
    Attributes attributes;
    for (auto i = index.first_child(dicom::ElementIndex::None); i < index.size(); i = index[i].end) {
        const auto& element = index[i];
        // What an explicit data set calls a text may still be written as UN.
        const auto vr = dicom::dictionary::vr_of(element.tag);
        if (!element.container && dicom::traits(vr).text) {
            const auto text = index.text(element.tag);
            attributes[element.tag] =
                dicom::traits(vr).character_set ? characters.to_utf8(text) : std::string{text};
        }
    }
    return attributes;
} catch (const Error& error) {
    if (error.kind() != ErrorKind::Input) {
        throw;
    }
    throw Error{ErrorKind::Peer, "cannot understand", "an answer", error.reason()};
}

} // namespace dcmpipe::retrieve
