#include "deid/encrypted_attributes.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "dicom/encode.hpp"
#include "dicom/private_block.hpp"
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

/// AES-CBC does not show that its text was changed (PS3.15 names no mode that does). Beside each sealed message
/// of ours stands its SHA-256, so that damage never passes for somebody's identity. Other readers pass over
/// it; what others sealed has none.
constexpr std::string_view digest_creator = "DCMPIPE SEAL";
constexpr Tag digest_block{0x04010010};
constexpr Tag digest_element{0x04011001};

std::string digest_of(std::string_view sealed)
{
    Sha256 digest;
    digest.add(sealed);
    return digest.hex();
}

/// One item of (0400,0500).
std::string sealed_item(std::string_view sealed, dicom::Encoding encoding)
{
    return dicom::encode_item(
        dicom::encode_element(
            tags::EncryptedContentTransferSyntaxUID, vr::UI, dicom::transfer_syntax::ExplicitVRLittleEndian,
            encoding) +
            dicom::encode_element(tags::EncryptedContent, vr::OB, sealed, encoding) +
            dicom::encode_element(digest_block, vr::LO, digest_creator, encoding) +
            dicom::encode_element(digest_element, vr::LO, digest_of(sealed), encoding),
        encoding);
}

/// Throws Error{Refused} where the message is not the one that was written.
void check_digest(const ElementIndex& data_set, std::uint32_t item, const Element& content)
{
    const auto found = data_set.find(digest_element, item);
    if (found == ElementIndex::None ||
        dicom::PrivateBlocks{data_set}.creator_of(data_set[found]) != digest_creator) {
        return;
    }
    const auto value = data_set.value(content);
    const bool padded = value.ends_with('\0');
    const auto written = dicom::uid::trimmed(data_set.value(data_set[found]));
    if (written != digest_of(value) &&
        !(padded && written == digest_of(value.substr(0, value.size() - 1)))) {
        throw Error{ErrorKind::Refused, "the encrypted attributes were tampered with"};
    }
}

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
    if (item == ElementIndex::None || index[item].end != index.size() || sequence != 0) {
        throw Error{
            ErrorKind::Refused, "what the key opens is no Modified Attributes Sequence with one item"};
    }
    // A message that others sealed shows damage only by what it holds.
    if (const auto uid = index.text(tags::SOPInstanceUID, item); !uid.empty() && !dicom::uid::is_valid(uid)) {
        throw Error{ErrorKind::Refused, "the encrypted attributes were tampered with"};
    }
    pseudonym::RecalledOriginals originals;
    originals.transfer_syntax = instance.transfer_syntax();
    for (auto i = index.first_child(item); i < index.end_of(item); i = index[i].end) {
        originals.elements.insert_or_assign(
            index[i].tag, dicom::recode(index, i, instance.data_set().encoding()));
    }
    return originals;
}

/// What was sealed must be of this instance: its UID follows from the original one, or was retained.
void check_instance(
    const pseudonym::RecalledOriginals& originals, const Instance& instance, const pseudonym::Key& project_key)
{
    const auto sealed = originals.elements.find(tags::SOPInstanceUID);
    const auto original =
        sealed == originals.elements.end()
            ? std::string{}
            : std::string{ElementIndex::walk(sealed->second, instance.data_set().encoding())
                              .text(tags::SOPInstanceUID)};
    if (original != instance.instance_uid() && project_key.uid(original) != instance.instance_uid()) {
        throw Error{
            ErrorKind::Refused, "the encrypted attributes are another instance's, or this is not the project key"};
    }
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
    auto items = sealed_item(sealed, encoding);
    const auto earlier = data_set.find(tags::EncryptedAttributesSequence);
    for (auto i = earlier == ElementIndex::None ? ElementIndex::None : data_set.first_child(earlier);
         i != ElementIndex::None && i < data_set.end_of(earlier); i = data_set[i].end) {
        items += dicom::recode(data_set, i, encoding);
    }
    return items;
}

std::optional<pseudonym::RecalledOriginals> decrypted_originals(
    const Instance& instance, const CmsKey& key, const pseudonym::Key* project_key)
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
            check_digest(data_set, item, data_set[content]);
            const auto plain = as_explicit(key.open(data_set.value(data_set[content])));
            auto originals = read_modified_attributes(plain, instance);
            // Items further back are of earlier layers, whose output was not this instance.
            if (project_key != nullptr && item == data_set.first_child(sequence)) {
                check_instance(originals, instance, *project_key);
            }
            leave_other_items(data_set, sequence, item, originals);
            return originals;
        } catch (const Error& error) {
            reason = error.reason();
        }
    }
    throw Error{ErrorKind::Refused, "cannot restore", instance.name(), reason};
}

} // namespace dcmpipe::deid
