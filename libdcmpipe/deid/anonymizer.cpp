#include "deid/anonymizer.hpp"

#include "core/error.hpp"
#include "deid/changes.hpp"
#include "deid/dates.hpp"
#include "deid/dummy.hpp"
#include "deid/encrypted_attributes.hpp"
#include "deid/identity.hpp"
#include "deid/marks.hpp"
#include "deid/residual.hpp"
#include "deid/vendor_header.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::Element;
using dicom::ElementIndex;
using dicom::Instance;
using dicom::Tag;
using dicom::Vr;

namespace {

/// `ReferencedSeriesSequence[1]/SeriesDescription`: where an element stands, for a person.
std::string path_of(const ElementIndex& index, std::uint32_t i)
{
    std::string path = dicom::dictionary::name_of(index[i].tag);
    for (auto item = index[i].parent; item != ElementIndex::None; item = index[index[item].parent].parent) {
        const auto sequence = index[item].parent;
        unsigned number = 1;
        for (auto sister = sequence + 1; sister != item; sister = index[sister].end) {
            ++number;
        }
        path = fmt::format("{}[{}]/{}", dicom::dictionary::name_of(index[sequence].tag), number, path);
    }
    return path;
}

/// What is a picture, or belongs to one.
bool shows_pixels(Tag tag)
{
    constexpr std::array shows{tags::IconImageSequence,          tags::ExtendedOffsetTable,
                               tags::ExtendedOffsetTableLengths, tags::FloatPixelData,
                               tags::DoubleFloatPixelData,       tags::PixelData};
    return std::find(shows.begin(), shows.end(), tag) != shows.end();
}

/// One instance on its way through: what is decided for each element becomes a patch.
class Pass {
public:
    Pass(
        const Rules& rules, const pseudonym::Key& key, NewUids& uids, Identities& identities,
        Residual residual, const CmsRecipients* recipients, const PixelCleaner& pixels,
        const Instance& instance, const pseudonym::Patient& patient)
        : rules_(rules), context_{key, patient}, uids_(uids), residual_(residual), recipients_(recipients),
          pixels_(pixels), verdict_(pixels.judge(instance)), instance_(instance),
          data_set_(instance.data_set()), blocks_(data_set_), iod_(Iod::of_class(instance.sop_class_uid())),
          identity_(identity_in(identities)), changes_(instance)
    {
    }

    Anonymized run()
    {
        verdict_.overlay_bits = overlay_bits();
        for (std::uint32_t i = 0; i < data_set_.size();) {
            i = keeps_layers(i) ? data_set_[i].end : treat(i);
        }
        drop_empty_blocks();
        complete_patient();
        for (const Mark& mark : marks_of(rules_.profile(), instance_, verdict_.known)) {
            changes_.set(mark.tag, mark.vr, mark.value);
        }
        if (verdict_.known) {
            changes_.set(tags::BurnedInAnnotation, vr::CS, "NO");
        }
        if (recipients_ != nullptr) {
            encrypt();
        }
        return {changes_.finish(context_.patient.number), counts_};
    }

private:
    /// Seals what was taken; where rules encrypt, what these selected of it.
    void encrypt()
    {
        auto taken = changes_.taken().map();
        if (rules_.profile().encrypts()) {
            std::erase_if(taken, [this](const auto& one) { return !to_encrypt_.contains(one.first); });
        }
        if (!taken.empty()) {
            changes_.set(
                tags::EncryptedAttributesSequence, vr::SQ, encrypted_items(instance_, taken, *recipients_));
        }
    }

    /// The tag of the top-level element that this one is, or stands in.
    Tag top_of(std::uint32_t i) const
    {
        while (data_set_[i].parent != ElementIndex::None) {
            i = data_set_[i].parent;
        }
        return data_set_[i].tag;
    }

    Identity identity_in(Identities& identities) const
    {
        return identities.of(instance_, [this](std::uint32_t i) {
            return rules_.decide({data_set_, i, blocks_}, iod_).action == Action::Keep;
        });
    }

    /// Earlier layers of encrypted attributes stay behind ours.
    bool keeps_layers(std::uint32_t i) const
    {
        return recipients_ != nullptr && data_set_[i].parent == ElementIndex::None &&
               data_set_[i].tag == tags::EncryptedAttributesSequence;
    }

    /// Applies the rule for one element; the index of the next one to look at.
    std::uint32_t treat(std::uint32_t i)
    {
        const auto decision = rules_.decide({data_set_, i, blocks_}, iod_);
        if (!data_set_[i].is_item()) {
            ++counts_[static_cast<std::size_t>(decision.action)];
        }
        return apply(i, decision);
    }

    std::uint32_t apply(std::uint32_t i, const Decision& decision)
    {
        const Element& element = data_set_[i];
        switch (decision.action) {
        case Action::Keep:
            if (changes_pixels(element)) {
                return paint(i);
            }
            keep(i);
            return i + 1;
        case Action::Remove:
            changes_.remove(i);
            break;
        case Action::Empty:
            changes_.replace(i, {});
            break;
        case Action::Dummy:
            return dummy(i);
        case Action::Uid:
        case Action::Clean:
            if (element.container) {
                return i + 1;
            }
            decision.action == Action::Uid ? changes_.replace(i, mapped_uids(data_set_.value(element)))
                                           : clean(i, decision);
            break;
        case Action::Shift:
            shift(i, decision);
            break;
        case Action::AgeCap:
            replace_or(i, cap_age(data_set_.value(element)), decision);
            break;
        case Action::Code:
            changes_.replace(i, element.tag == tags::PatientName ? patient_name() : context_.patient.code);
            break;
        case Action::Edit:
            edit(i, decision);
            break;
        case Action::Encrypt:
            to_encrypt_.insert(top_of(i));
            return apply(i, {decision.otherwise, decision.why});
        case Action::Reject:
            refuse(i, "the profile keeps such instances back");
        }
        return element.end;
    }

    [[noreturn]] void refuse(std::uint32_t i, std::string_view reason) const
    {
        throw Error{
            ErrorKind::Refused, "cannot de-identify", instance_.name(),
            fmt::format("{}: {}", path_of(data_set_, i), reason)};
    }

    void keep(std::uint32_t i) const
    {
        if (residual_names_patient(data_set_, i, identity_, residual_)) {
            refuse(i, "its value names the patient");
        }
    }

    /// The bits of the pixels in which overlays lie that do not stay.
    std::uint32_t overlay_bits() const
    {
        std::uint32_t bits = 0;
        for (std::uint32_t i = 0; i < data_set_.size(); i = data_set_[i].end) {
            const Element& element = data_set_[i];
            const bool is_position = (element.tag.value & 0xff00ffffU) == 0x60000102U;
            if (is_position && element.length == 2 &&
                rules_.decide({data_set_, i, blocks_}, iod_).action != Action::Keep) {
                const auto bit = dicom::read_u16(data_set_.value(element), 0, element.encoding.big_endian);
                bits |= bit > 0 && bit < 32 ? 1U << bit : 0U;
            }
        }
        return bits;
    }

    bool changes_pixels(const Element& element) const
    {
        return shows_pixels(element.tag) &&
               (!verdict_.boxes.empty() ||
                (verdict_.overlay_bits != 0 && element.depth == 0 && element.tag != tags::IconImageSequence));
    }

    /// Where pixels are painted, other pictures of them would show what was there.
    std::uint32_t paint(std::uint32_t i)
    {
        const Element& element = data_set_[i];
        if (element.depth > 0 || element.tag == tags::IconImageSequence) {
            changes_.remove(i);
        } else if (element.tag == tags::PixelData) {
            pixels_.paint(instance_, verdict_, changes_.rewriter());
            if (verdict_.boxes.empty()) {
                changes_.took(i); // unlike what is painted over, an overlay comes back with its group
            }
        }
        return element.end;
    }

    void clean(std::uint32_t i, const Decision& decision)
    {
        const Element& element = data_set_[i];
        if (element.tag.is_private() && clean_header(i, decision)) {
            return;
        }
        if (!dicom::is_text(element.vr) && element.vr != vr::UN) {
            replace_or(i, std::nullopt, decision);
            return;
        }
        static const Vocabulary every_word;
        const auto& vocabulary =
            decision.rule != nullptr && decision.rule->vocabulary ? *decision.rule->vocabulary : every_word;
        edit_text(i, decision, [&](std::string_view value) -> std::optional<std::string> {
            const auto text = cleaned(value, identity_, vocabulary);
            return identity_.shows_in_text(text) ? std::nullopt : std::optional{text};
        });
    }

    /// A vendor's own header; false where the element is none.
    bool clean_header(std::uint32_t i, const Decision& decision)
    {
        const Element& element = data_set_[i];
        const auto cleaner = vendor_header_cleaner(element.tag, blocks_.creator_of(element));
        if (cleaner == nullptr) {
            return false;
        }
        const auto header = cleaner(data_set_.value(element));
        replace_or(i, header && !identity_.shows_in(*header) ? header : std::nullopt, decision);
        return true;
    }

    void edit(std::uint32_t i, const Decision& decision)
    {
        edit_text(i, decision, [&](std::string_view value) {
            auto text = decision.rule->edit(value, context_);
            const bool telling = text && residual_ != Residual::Off && identity_.shows_in_text(*text);
            return telling ? std::nullopt : text;
        });
    }

    /// Changes each value of a text, in UTF-8 and back; what cannot be changed is not known to be safe.
    template <class Change>
    void edit_text(std::uint32_t i, const Decision& decision, Change change)
    {
        const Element& element = data_set_[i];
        const dicom::CharacterSet characters{dicom::character_set_at(data_set_, i)};
        const bool several = element.vr != vr::LT && element.vr != vr::ST && element.vr != vr::UT;
        const auto text = characters.to_utf8(dicom::uid::trimmed(data_set_.value(element)));
        std::optional<std::string> changed{std::string{}};
        for (std::size_t start = 0; changed && start <= text.size();) {
            const auto end = several ? std::min(text.find('\\', start), text.size()) : text.size();
            const auto value = std::string_view{text}.substr(start, end - start);
            const auto one = value.empty() ? std::optional<std::string>{""} : change(value);
            changed = one ? std::optional{*changed + (start > 0 ? "\\" : "") + *one} : std::nullopt;
            start = end + 1;
        }
        if (changed && *changed == text) {
            return;
        }
        replace_or(i, changed ? characters.from_utf8(*changed) : std::nullopt, decision);
    }

    void shift(std::uint32_t i, const Decision& decision)
    {
        const Element& element = data_set_[i];
        const auto value = data_set_.value(element);
        const auto* const known = dicom::dictionary::find(element.tag);
        const Vr vr = known != nullptr ? known->vr : element.vr;
        if (vr == vr::TM) {
            replace_or(i, is_tm(value) ? std::optional{std::string{value}} : std::nullopt, decision);
        } else {
            const int days = context_.patient.shift_days;
            replace_or(i, vr == vr::DT ? shift_dt(value, days) : shift_da(value, days), decision);
        }
    }

    /// The new value, or where there is none what the rule says instead.
    void replace_or(std::uint32_t i, const std::optional<std::string>& value, const Decision& decision)
    {
        if (value) {
            changes_.replace(i, *value);
        } else {
            fallen_back_.push_back(i);
            apply(i, {decision.otherwise, decision.why});
        }
    }

    bool is_gone(std::uint32_t i) const
    {
        return std::binary_search(fallen_back_.begin(), fallen_back_.end(), i) ||
               rules_.decide({data_set_, i, blocks_}, iod_).action == Action::Remove;
    }

    bool owns_nothing(std::uint32_t creator) const
    {
        const Tag own = data_set_[creator].tag;
        const auto end = data_set_.end_of(data_set_[creator].parent);
        for (auto i = data_set_[creator].end; i < end; i = data_set_[i].end) {
            const Tag tag = data_set_[i].tag;
            if (tag.group() == own.group() && tag.element() >> 8U == own.element() && !is_gone(i)) {
                return false;
            }
        }
        return true;
    }

    /// Private blocks whose last element could not be cleaned: the creator would tell of what is gone.
    void drop_empty_blocks()
    {
        std::set<std::uint32_t> creators;
        for (const auto i : fallen_back_) {
            const Tag tag = data_set_[i].tag;
            const Tag creator{tag.group(), static_cast<std::uint16_t>(tag.element() >> 8U)};
            const auto found =
                tag.is_private() ? data_set_.find(creator, data_set_[i].parent) : ElementIndex::None;
            if (found != ElementIndex::None && !is_gone(found) && owns_nothing(found)) {
                creators.insert(found);
            }
        }
        for (const auto creator : creators) {
            changes_.remove(creator);
        }
    }

    std::uint32_t dummy(std::uint32_t i)
    {
        const Element& element = data_set_[i];
        const auto* const known = dicom::dictionary::find(element.tag);
        const Vr vr = known != nullptr ? known->vr : element.vr;
        if (vr != vr::SQ) {
            changes_.replace(
                i, vr == vr::UI ? mapped_uids(data_set_.value(element)) : dummy_value(vr, element.encoding));
            return element.end;
        }
        if (const auto items = dummy_items(element.tag, element.content)) {
            changes_.replace_raw(i, dicom::encode_element(element.tag, vr, *items, element.encoding));
            return element.end;
        }
        // A sequence of references: its own items, gone through, are the best dummies there are.
        return i + 1;
    }

    std::string mapped_uids(std::string_view values) const
    {
        std::string mapped;
        for (std::size_t start = 0; start <= values.size();) {
            const auto end = std::min(values.find('\\', start), values.size());
            mapped += (start > 0 ? "\\" : "") + new_uid(values.substr(start, end - start));
            start = end + 1;
        }
        return mapped;
    }

    std::string new_uid(std::string_view uid) const { return uids_.of(uid); }

    std::string patient_name() const
    {
        std::string name = rules_.profile().patient_name;
        constexpr std::string_view code = "{code}";
        if (const auto at = name.find(code); at != std::string::npos) {
            name.replace(at, code.size(), context_.patient.code);
        }
        return name;
    }

    /// Type 2 in every composite object with a patient: the code stands there even where nothing stood.
    void complete_patient()
    {
        if (instance_.study_uid().empty()) {
            return;
        }
        if (data_set_.find(tags::PatientName) == ElementIndex::None) {
            changes_.set(tags::PatientName, vr::PN, patient_name());
        }
        if (data_set_.find(tags::PatientID) == ElementIndex::None) {
            changes_.set(tags::PatientID, vr::LO, context_.patient.code);
        }
    }

    const Rules& rules_;
    EditContext context_;
    NewUids& uids_;
    Residual residual_;
    const CmsRecipients* recipients_; ///< null: nothing is sealed into the instance
    const PixelCleaner& pixels_;
    PixelVerdict verdict_;
    const Instance& instance_;
    const ElementIndex& data_set_;
    dicom::PrivateBlocks blocks_;
    Iod iod_;
    Identity identity_;
    Changes changes_;
    ActionCounts counts_{};
    std::set<Tag> to_encrypt_;               ///< at top level
    std::vector<std::uint32_t> fallen_back_; ///< could not be changed as decided: removed instead; in order
};

} // namespace

Anonymized Anonymizer::anonymize(const Instance& instance, const pseudonym::Patient& patient) const
{
    return Pass{rules_, key_, *uids_, *identities_, residual_, recipients_.get(), pixels_, instance, patient}
        .run();
}

} // namespace dcmpipe::deid
