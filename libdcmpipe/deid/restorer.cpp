#include "deid/restorer.hpp"

#include "core/error.hpp"
#include "deid/pixels/cleaner.hpp"
#include "dicom/encode.hpp"
#include "dicom/rewriter.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::Element;
using dicom::ElementIndex;
using dicom::Tag;
using pseudonym::RecalledOriginals;

namespace {

/// Who the patient is, beside UIDs, dates and times.
constexpr std::array identity_tags{
    tags::PatientName, tags::PatientID,  tags::IssuerOfPatientID, tags::IssuerOfPatientIDQualifiersSequence,
    tags::PatientSex,  tags::PatientAge, tags::AccessionNumber,   tags::StudyID,
};

constexpr std::array method_tags{
    tags::PatientIdentityRemoved,
    tags::DeidentificationMethod,
    tags::DeidentificationMethodCodeSequence,
    tags::LongitudinalTemporalInformationModified,
};

bool is_method(Tag tag)
{
    return std::find(method_tags.begin(), method_tags.end(), tag) != method_tags.end();
}

bool is_identity(const Element& element)
{
    const auto vr = element.vr;
    return std::find(identity_tags.begin(), identity_tags.end(), element.tag) != identity_tags.end() ||
           vr == vr::UI || vr == vr::DA || vr == vr::DT || vr == vr::TM;
}

/// Puts originals into one instance, all of them or only those of identity.
class Restoration {
public:
    explicit Restoration(const dicom::Instance& instance)
        : instance_(instance), data_set_(instance.data_set()), rewriter_(data_set_)
    {
    }

    void full(const RecalledOriginals& originals, bool complete)
    {
        for (const auto& [tag, element] : originals.elements) {
            put(ElementIndex::None, tag, element);
        }
        for (const auto tag : originals.added) {
            if (!originals.elements.contains(tag) && (complete || tag != tags::PatientIdentityRemoved)) {
                remove(tag);
            }
        }
        if (!complete && !originals.elements.contains(tags::PatientIdentityRemoved)) {
            say_identity_is_there();
        }
    }

    void identity(const RecalledOriginals& originals)
    {
        for (const auto& [tag, element] : originals.elements) {
            if (tag == tags::EncryptedAttributesSequence) {
                put(ElementIndex::None, tag, element);
            } else if (!tag.is_private() && !tag.is_group_length() && !is_method(tag)) {
                const auto index = ElementIndex::walk(element, data_set_.encoding());
                merge(index, ElementIndex::None, ElementIndex::None);
            }
        }
        say_identity_is_there();
        for (const auto tag : method_tags) {
            if (tag != tags::PatientIdentityRemoved) {
                remove(tag);
            }
        }
        const auto& added = originals.added;
        if (std::find(added.begin(), added.end(), tags::EncryptedAttributesSequence) != added.end()) {
            remove(tags::EncryptedAttributesSequence);
        }
    }

    Rewritten finish()
    {
        const auto instance_uid = text_of(tags::SOPInstanceUID, instance_.instance_uid());
        return {file_image(instance_, instance_uid, rewriter_.finish()), std::move(replaced_)};
    }

private:
    /// PS3.15 §E.1.2: the identity is no longer removed, and nothing claims that it is.
    void say_identity_is_there()
    {
        put(ElementIndex::None, tags::PatientIdentityRemoved,
            dicom::encode_element(tags::PatientIdentityRemoved, vr::CS, "NO", data_set_.encoding()));
    }

    void put(std::uint32_t parent, Tag tag, std::string_view encoded)
    {
        const auto stands = data_set_.find(tag, parent);
        if (stands == ElementIndex::None) {
            rewriter_.insert_raw(parent, tag, std::string{encoded});
        } else if (data_set_.raw(data_set_[stands]) != encoded) {
            rewriter_.replace_raw(stands, std::string{encoded});
        }
        if (parent == ElementIndex::None) {
            const auto index = ElementIndex::walk(encoded, data_set_.encoding());
            replaced_.set(tag, index.text(tag));
        }
    }

    void remove(Tag tag)
    {
        const auto stands = data_set_.find(tag);
        if (stands != ElementIndex::None) {
            rewriter_.remove(stands);
            replaced_.set(tag, "");
        }
    }

    /// Goes through two data sets, or two items, of the same shape: what is identity in the original one
    /// comes into ours. The depth is that of the index, which is bounded.
    void merge(const ElementIndex& original, std::uint32_t from, std::uint32_t into)
    {
        const auto end = original.end_of(from);
        for (auto i = original.first_child(from); i < end; i = original[i].end) {
            const Element& element = original[i];
            if (element.tag.is_private()) {
                continue;
            }
            if (is_identity(element)) {
                put(into, element.tag, original.raw(element));
            } else if (element.is_sequence()) {
                merge_items(original, i, data_set_.find(element.tag, into));
            }
        }
    }

    void merge_items(const ElementIndex& original, std::uint32_t from, std::uint32_t into)
    {
        if (into == ElementIndex::None || !data_set_[into].is_sequence()) {
            return;
        }
        auto ours = data_set_.first_child(into);
        auto theirs = original.first_child(from);
        while (ours < data_set_.end_of(into) && theirs < original.end_of(from)) {
            merge(original, theirs, ours);
            ours = data_set_[ours].end;
            theirs = original[theirs].end;
        }
    }

    std::string text_of(Tag tag, std::string_view otherwise) const
    {
        const auto* const replaced = replaced_.find(tag);
        return replaced != nullptr ? *replaced : std::string{otherwise};
    }

    const dicom::Instance& instance_;
    const ElementIndex& data_set_;
    dicom::Rewriter rewriter_;
    NewValues replaced_;
};

} // namespace

Rewritten restore(const dicom::Instance& instance, const RecalledOriginals& originals, RestoreLevel level)
{
    if (dicom::transfer_syntax::encoding_of(originals.transfer_syntax) != instance.data_set().encoding()) {
        throw Error{
            ErrorKind::Refused, "cannot restore", instance.name(),
            "it was converted to another transfer syntax: convert it back to " + originals.transfer_syntax};
    }
    Restoration restoration{instance};
    if (level == RestoreLevel::Full) {
        restoration.full(originals, originals.complete && !lost_pixels(instance, originals));
    } else {
        restoration.identity(originals);
    }
    return restoration.finish();
}

bool lost_pixels(const dicom::Instance& instance, const RecalledOriginals& originals)
{
    if (!claims_clean_pixels(instance.data_set())) {
        return false;
    }
    // An earlier de-identification may have said so already.
    const auto earlier = originals.elements.find(tags::DeidentificationMethodCodeSequence);
    return earlier == originals.elements.end() ||
           !claims_clean_pixels(ElementIndex::walk(earlier->second, instance.data_set().encoding()));
}

} // namespace dcmpipe::deid
