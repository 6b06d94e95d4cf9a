#include "archive/directory_record.hpp"

#include "core/error.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/encode.hpp"
#include "dicom/recode.hpp"
#include "dicom/tags.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace tags = dicom::tags;
using dicom::ElementIndex;

namespace {

constexpr auto encoding = dicom::ExplicitLittleEndian;
constexpr std::string_view utf8_set = "ISO_IR 192";

constexpr std::array dates{tags::StudyDate,   tags::SeriesDate,           tags::AcquisitionDate,
                           tags::ContentDate, tags::InstanceCreationDate, tags::StructureSetDate,
                           tags::RTPlanDate,  tags::TreatmentDate};
constexpr std::array times{tags::StudyTime,   tags::SeriesTime,           tags::AcquisitionTime,
                           tags::ContentTime, tags::InstanceCreationTime, tags::StructureSetTime,
                           tags::RTPlanTime,  tags::TreatmentTime};

template <std::size_t Count>
std::string first_of(
    const ElementIndex& data_set, const std::array<dicom::Tag, Count>& tags, std::string_view otherwise)
{
    for (const auto tag : tags) {
        if (const auto value = data_set.text(tag); !value.empty()) {
            return std::string{value};
        }
    }
    return std::string{otherwise};
}

/// Neither beyond ASCII nor with an escape sequence (ISO 2022).
bool is_plain(std::string_view text)
{
    return std::all_of(
        text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0 && c != '\x1b'; });
}

/// The record of one instance while its keys are gathered.
class Keys {
public:
    Keys(const ElementIndex& data_set, std::optional<std::uint32_t> place)
        : data_set_(data_set), place_(place), declared_(data_set.text(tags::SpecificCharacterSet))
    {
    }

    /// False where the place is needed and not known.
    bool add(const DirectoryKey& key)
    {
        auto element = value_of(key);
        if (element.empty() && key.need == Need::Value) {
            if (!place_ && (key.stand_in == StandIn::Place || key.stand_in == StandIn::PlaceText)) {
                return false;
            }
            element = encoded(key.tag, stand_in_for(key));
        } else if (element.empty() && key.need == Need::EvenEmpty) {
            element = encoded(key.tag, {});
        }
        if (!element.empty()) {
            elements_.emplace_back(key.tag, std::move(element));
        }
        return true;
    }

    std::string str()
    {
        const auto set = declared_.empty() ? utf8_set : declared_;
        if (needs_set_) {
            elements_.emplace_back(tags::SpecificCharacterSet, encoded(tags::SpecificCharacterSet, set));
        }
        std::sort(elements_.begin(), elements_.end());
        std::string all;
        for (const auto& [tag, element] : elements_) {
            all += element;
        }
        return all;
    }

private:
    static std::string encoded(dicom::Tag tag, std::string_view value)
    {
        return dicom::encode_element(tag, dicom::dictionary::vr_of(tag), value, encoding);
    }

    /// The encoded element; empty where the instance has no value.
    std::string value_of(const DirectoryKey& key)
    {
        if (key.part == Part::LastVerified) {
            const auto last = last_verified();
            return last.empty() ? std::string{} : encoded(key.tag, last);
        }
        auto index = data_set_.find(key.tag);
        if (index == ElementIndex::None && key.part == Part::OrShared) {
            index = shared(key.tag);
        }
        if (index == ElementIndex::None || data_set_[index].length == 0) {
            return {};
        }
        if (key.part == Part::OrShared) {
            return copied(index);
        }
        if (key.part != Part::All) {
            return sequence_of(index, key.part);
        }
        const auto* const known = dicom::dictionary::find(key.tag);
        const auto text = data_set_.text(key.tag);
        if (data_set_[index].container || known == nullptr || dicom::traits(known->vr).unit > 1 ||
            dicom::traits(data_set_[index].vr).unit > 1) {
            return copied(index);
        }
        if (text.empty()) {
            return {};
        }
        if (!dicom::traits(known->vr).character_set || is_plain(text)) {
            return encoded(key.tag, text);
        }
        needs_set_ = true;
        return encoded(key.tag, declared_.empty() ? dicom::CharacterSet{}.to_utf8(text) : std::string{text});
    }

    std::string sequence_of(std::uint32_t sequence, Part part)
    {
        std::string items;
        for (auto item = data_set_.first_child(sequence); item < data_set_.end_of(sequence);
             item = data_set_[item].end) {
            if (part == Part::ConceptModifiers &&
                data_set_.text(tags::RelationshipType, item) == "HAS CONCEPT MOD") {
                items += copied(item);
            } else if (part == Part::Series) {
                items += dicom::encode_item(
                    copied(tags::ReferencedSeriesSequence, item) + copied(tags::StudyInstanceUID, item),
                    encoding);
            }
        }
        const auto tag = data_set_[sequence].tag;
        return items.empty() ? std::string{} : dicom::encode_element(tag, dicom::vr::SQ, items, encoding);
    }

    std::string copied(dicom::Tag tag, std::uint32_t item)
    {
        const auto index = data_set_.find(tag, item);
        return index == ElementIndex::None ? std::string{} : copied(index);
    }

    /// With all that is in it, in its own character set.
    std::string copied(std::uint32_t index)
    {
        for (auto i = index; i < data_set_[index].end; ++i) {
            needs_set_ = needs_set_ || (!declared_.empty() && dicom::traits(data_set_[i].vr).character_set &&
                                        !is_plain(data_set_.value(data_set_[i])));
        }
        return dicom::recode(data_set_, index, encoding);
    }

    std::uint32_t shared(dicom::Tag tag) const
    {
        const auto groups = data_set_.find(tags::SharedFunctionalGroupsSequence);
        for (auto i = groups; i != ElementIndex::None && i < data_set_[groups].end; ++i) {
            if (data_set_[i].tag == tag) {
                return i;
            }
        }
        return ElementIndex::None;
    }

    std::string_view last_verified() const
    {
        std::string_view last;
        const auto sequence = data_set_.find(tags::VerifyingObserverSequence);
        if (sequence == ElementIndex::None) {
            return last;
        }
        for (auto item = data_set_.first_child(sequence); item < data_set_.end_of(sequence);
             item = data_set_[item].end) {
            last = std::max(last, data_set_.text(tags::VerificationDateTime, item));
        }
        return last;
    }

    std::string stand_in_for(const DirectoryKey& key) const
    {
        switch (key.stand_in) {
        case StandIn::None:
            throw Error{ErrorKind::Input, fmt::format("it has no {}", dicom::dictionary::name_of(key.tag))};
        case StandIn::Place:
            return std::to_string(*place_);
        case StandIn::Date:
            return first_of(data_set_, dates, "19000101");
        case StandIn::Time:
            return first_of(data_set_, times, "000000");
        case StandIn::Moment:
            return first_of(data_set_, dates, "19000101") + first_of(data_set_, times, "000000");
        case StandIn::Text:
            return std::string{key.text};
        case StandIn::PlaceText:
            return fmt::format("{}{:06}", key.text, *place_);
        }
        return {};
    }

    const ElementIndex& data_set_;
    std::optional<std::uint32_t> place_;
    std::string_view declared_;
    bool needs_set_ = false;
    std::vector<std::pair<dicom::Tag, std::string>> elements_;
};

} // namespace

std::optional<std::string> record_keys(
    const RecordType& type, const ElementIndex& data_set, std::optional<std::uint32_t> place)
{
    Keys keys{data_set, place};
    bool whole = true;
    for (const auto& key : type.keys) {
        whole = keys.add(key) && whole;
    }
    return whole ? std::optional{keys.str()} : std::nullopt;
}

std::string record_reference(
    std::string_view file_id, std::string_view sop_class_uid, std::string_view instance_uid,
    std::string_view transfer_syntax)
{
    std::string parts{file_id};
    std::replace(parts.begin(), parts.end(), '/', '\\');
    using dicom::encode_element;
    return encode_element(tags::ReferencedFileID, dicom::vr::CS, parts, encoding) +
           encode_element(tags::ReferencedSOPClassUIDInFile, dicom::vr::UI, sop_class_uid, encoding) +
           encode_element(tags::ReferencedSOPInstanceUIDInFile, dicom::vr::UI, instance_uid, encoding) +
           encode_element(tags::ReferencedTransferSyntaxUIDInFile, dicom::vr::UI, transfer_syntax, encoding);
}

} // namespace dcmpipe::archive
