#include "deid/encrypted_attributes.hpp"

#include "core/error.hpp"
#include "dicom/encode.hpp"
#include "dicom/recode.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::Element;
using dicom::ElementIndex;
using dicom::ExplicitLittleEndian;
using dicom::Instance;
using dicom::Tag;

namespace {

/// Longer binary values are bulk data: pictures, curves, raw data.
constexpr std::uint64_t most_bulk = 64 * 1024;

/// What a reader needs beside what was taken: whose it is, in which characters it is written, and who owns
/// the private elements.
void add_context(const ElementIndex& data_set, std::map<Tag, std::string>& elements)
{
    const auto add = [&](Tag tag) {
        const auto found = data_set.find(tag);
        if (found != ElementIndex::None) {
            elements.try_emplace(tag, data_set.raw(data_set[found]));
        }
    };
    add(tags::SpecificCharacterSet);
    add(tags::SOPInstanceUID);
    std::vector<Tag> creators;
    for (const auto& [tag, element] : elements) {
        if (tag.is_private() && tag.element() >= 0x1000) {
            creators.emplace_back(tag.group(), static_cast<std::uint16_t>(tag.element() >> 8U));
        }
    }
    for (const auto creator : creators) {
        add(creator);
    }
}

/// PS3.15 §E.1.2: the plain text is a data set with nothing but (0400,0550).
std::string modified_attributes(const ElementIndex& data_set, std::map<Tag, std::string> elements)
{
    add_context(data_set, elements);
    std::string item;
    for (const auto& [tag, bytes] : elements) {
        const auto index = ElementIndex::walk(bytes, data_set.encoding());
        const Element& element = index[0];
        const bool bulk = element.fragments ||
                          (!dicom::is_text(element.vr) && !element.container && element.length > most_bulk);
        if (!bulk && !tag.is_group_length()) {
            item += dicom::recode(index, 0, ExplicitLittleEndian);
        }
    }
    return dicom::encode_element(
        tags::ModifiedAttributesSequence, vr::SQ, dicom::encode_item(item, ExplicitLittleEndian),
        ExplicitLittleEndian);
}

pseudonym::RecalledOriginals read_modified_attributes(std::string_view plain, const Instance& instance)
{
    const auto index = ElementIndex::walk(plain, ExplicitLittleEndian);
    const auto sequence = index.find(tags::ModifiedAttributesSequence);
    const auto item = sequence == ElementIndex::None ? ElementIndex::None : index.first_child(sequence);
    if (item == ElementIndex::None || index[item].end != index[sequence].end) {
        throw Error{
            ErrorKind::Refused, "what the key opens is no Modified Attributes Sequence with one item"};
    }
    pseudonym::RecalledOriginals originals;
    originals.transfer_syntax = instance.transfer_syntax();
    for (auto i = index.first_child(item); i < index.end_of(item); i = index[i].end) {
        originals.elements.insert_or_assign(
            index[i].tag, dicom::recode(index, i, instance.data_set().encoding()));
    }
    return originals;
}

/// What else is sealed in the instance stays in it; what was opened goes, and so does what was said of it.
void leave_other_items(
    const ElementIndex& data_set, std::uint32_t sequence, std::uint32_t opened,
    pseudonym::RecalledOriginals& originals)
{
    originals.complete = false;
    originals.added = {
        tags::DeidentificationMethod, tags::DeidentificationMethodCodeSequence,
        tags::LongitudinalTemporalInformationModified};
    std::string others;
    for (auto item = data_set.first_child(sequence); item < data_set.end_of(sequence);
         item = data_set[item].end) {
        others += item != opened ? dicom::recode(data_set, item, data_set.encoding()) : "";
    }
    if (others.empty()) {
        originals.added.push_back(tags::EncryptedAttributesSequence);
    } else {
        originals.elements.insert_or_assign(
            tags::EncryptedAttributesSequence,
            dicom::encode_element(tags::EncryptedAttributesSequence, vr::SQ, others, data_set.encoding()));
    }
}

/// Implicit VR little endian is what some writers use; the first tag tells.
std::string as_explicit(std::string plain)
{
    const bool is_explicit = plain.size() > 6 && dicom::is_standard(dicom::make_vr(plain[4], plain[5]));
    if (is_explicit) {
        return plain;
    }
    const auto index = ElementIndex::walk(plain, dicom::ImplicitLittleEndian);
    std::string recoded;
    for (std::uint32_t i = 0; i < index.size(); i = index[i].end) {
        recoded += dicom::recode(index, i, ExplicitLittleEndian);
    }
    return recoded;
}

} // namespace

std::string encrypted_items(
    const Instance& instance, const std::map<Tag, std::string>& elements, const CmsRecipients& recipients)
{
    const auto& data_set = instance.data_set();
    const auto encoding = data_set.encoding();
    const auto sealed = recipients.seal(modified_attributes(data_set, elements));
    auto items = dicom::encode_item(
        dicom::encode_element(
            tags::EncryptedContentTransferSyntaxUID, vr::UI, dicom::transfer_syntax::ExplicitVRLittleEndian,
            encoding) +
            dicom::encode_element(tags::EncryptedContent, vr::OB, sealed, encoding),
        encoding);
    const auto earlier = data_set.find(tags::EncryptedAttributesSequence);
    for (auto i = earlier == ElementIndex::None ? ElementIndex::None : data_set.first_child(earlier);
         i != ElementIndex::None && i < data_set.end_of(earlier); i = data_set[i].end) {
        items += dicom::recode(data_set, i, encoding);
    }
    return items;
}

std::optional<pseudonym::RecalledOriginals> decrypted_originals(const Instance& instance, const CmsKey& key)
{
    const auto& data_set = instance.data_set();
    const auto sequence = data_set.find(tags::EncryptedAttributesSequence);
    if (sequence == ElementIndex::None) {
        return std::nullopt;
    }
    std::string reason = "its encrypted attributes are empty";
    for (auto item = data_set.first_child(sequence); item < data_set.end_of(sequence);
         item = data_set[item].end) {
        const auto content = data_set.find(tags::EncryptedContent, item);
        if (content == ElementIndex::None) {
            continue;
        }
        try {
            const auto plain = as_explicit(key.open(data_set.value(data_set[content])));
            auto originals = read_modified_attributes(plain, instance);
            leave_other_items(data_set, sequence, item, originals);
            return originals;
        } catch (const Error& error) {
            reason = error.reason();
        }
    }
    throw Error{ErrorKind::Refused, "cannot restore", instance.name(), reason};
}

} // namespace dcmpipe::deid
