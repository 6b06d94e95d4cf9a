#include "deid/rules.hpp"

#include "core/error.hpp"
#include "deid/private_values.hpp"
#include "deid/safe_private.hpp"
#include "deid/table.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/encode.hpp"
#include "dicom/private_dictionary.hpp"
#include "dicom/tags.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::Element;
using dicom::Tag;
using dicom::Vr;

namespace {

constexpr std::array kinds{
    tags::SOPClassUID,
    tags::RelatedGeneralSOPClassUID,
    tags::OriginalSpecializedSOPClassUID,
    tags::SOPClassesInStudy,
    tags::CodingSchemeUID,
    tags::ContextGroupExtensionCreatorUID,
    tags::ContextUID,
    tags::MappingResourceUID,
    Tag{0x0008, 0x040e}, // Stored Instance Transfer Syntax UID
    tags::ReferencedSOPClassUID,
    tags::SOPClassesSupported,
    tags::AvailableTransferSyntaxUID,
    tags::CreatorVersionUID,
    tags::FlowTransferSyntaxUID,
    tags::MACCalculationTransferSyntaxUID,
    tags::EncryptedContentTransferSyntaxUID,
};

/// Attributes that their object must have (type 1, or 1C beside what stays), where the table lacks a row or
/// has X.
constexpr std::array required{
    Tag{0x0040, 0x0031}, // Local Namespace Entity ID
    Tag{0x0040, 0x0032}, // Universal Entity ID
    Tag{0x0062, 0x0020}, // Tracking ID
    Tag{0x0070, 0x0082}, // Presentation Creation Date
    Tag{0x0070, 0x0083}, // Presentation Creation Time
};

bool must_stay(Tag tag)
{
    return std::find(required.begin(), required.end(), tag) != required.end();
}

constexpr Action action_of(TableAction action)
{
    switch (action) {
    case TableAction::Z:
        return Action::Empty;
    case TableAction::D:
        return Action::Dummy;
    case TableAction::U:
        return Action::Uid;
    case TableAction::K:
        return Action::Keep;
    case TableAction::C:
        return Action::Clean;
    default:
        return Action::Remove;
    }
}

/// What no profile can keep: it is no part of a data set, or tells of what was taken.
constexpr std::optional<std::string_view> always_removed(Tag tag)
{
    if (tag.group() < 0x0008) {
        return "no element of a data set (PS3.5 §7.1)";
    }
    if (tag.is_group_length() || tag == tags::DataSetTrailingPadding) {
        return "padding and lengths tell the size of what was taken";
    }
    return std::nullopt;
}

/// The tag of a private element in no block: what rules by creator are found by.
constexpr Tag outside_block(Tag tag)
{
    return Tag{tag.value & 0xffff00ffU};
}

/// As written; where that says nothing, as DCMTK's dictionary of private tags has it.
Vr private_vr_of(const Place& place)
{
    const Element& element = *place;
    return element.vr == vr::UN ? dicom::private_vr(element.tag, place.blocks.creator_of(element))
                                : element.vr;
}

/// A value that is not what its VR says can hide anything: a sequence that cannot be read, letters in a
/// number.
bool is_unreadable(const Place& place)
{
    const Element& element = *place;
    if (element.container || element.length == 0) {
        return false;
    }
    const Vr vr = private_vr_of(place);
    const Vr known = dicom::private_vr(element.tag, place.blocks.creator_of(element));
    const auto value = place.index.value(element);
    const bool number = known == vr::DS || known == vr::IS;
    return vr == vr::SQ || !reads_as(vr, value) || (number && dicom::is_text(vr) && !reads_as(known, value));
}

Action capped(Action action, Vr vr)
{
    return action == Action::Keep && vr == vr::AS ? Action::AgeCap : action;
}

} // namespace

bool names_a_kind(Tag tag) noexcept
{
    return std::find(kinds.begin(), kinds.end(), tag) != kinds.end();
}

Rules::Rules(Profile profile) : profile_(std::move(profile))
{
    for (std::size_t i = 0; i < profile_.rules.size(); ++i) {
        const auto& selector = profile_.rules[i].selector;
        if (const auto tag = selector.tag()) {
            rules_by_tag_[tag->value].push_back(i);
        } else if (const auto private_tag = selector.private_tag()) {
            rules_by_tag_[private_tag->value].push_back(i);
        } else if (selector.kind() == Selector::Kind::Vr) {
            vr_rules_.push_back(i);
        } else {
            other_rules_.push_back(i);
        }
    }
}

/// The most specific rule of the profile that selects the element; among equals the one that comes later.
const Rule* Rules::rule_for(const Place& place) const
{
    const Rule* best = nullptr;
    const auto consider = [&](std::size_t i) {
        const Rule& rule = profile_.rules[i];
        if ((best == nullptr || rule.selector.kind() >= best->selector.kind()) &&
            rule.selector.selects(place)) {
            best = &rule;
        }
    };
    const auto consider_those_of = [&](Tag tag) {
        if (const auto found = rules_by_tag_.find(tag.value); found != rules_by_tag_.end()) {
            std::for_each(found->second.begin(), found->second.end(), consider);
        }
    };
    const Tag tag = (*place).tag;
    std::for_each(other_rules_.begin(), other_rules_.end(), consider);
    consider_those_of(tag);
    if (tag.is_private() && tag != outside_block(tag)) {
        consider_those_of(outside_block(tag));
    }
    return best;
}

Decision Rules::decide(const Place& place, const Iod& iod) const
{
    const Element& element = *place;
    if (element.is_item()) {
        return {Action::Keep, "structure"};
    }
    if (const auto why = always_removed(element.tag)) {
        return {Action::Remove, *why};
    }
    if (const Rule* const rule = rule_for(place)) {
        return by_rule(place, *rule, element.depth == 0 ? iod : Iod::strictest());
    }
    if (element.tag.is_private()) {
        return private_element(place);
    }
    if (element.tag == tags::PatientName || element.tag == tags::PatientID) {
        return {element.depth == 0 ? Action::Code : Action::Empty, "the patient's code"};
    }
    const auto* const known = dicom::dictionary::find(element.tag);
    const Vr vr = known != nullptr ? known->vr : element.vr;
    if (vr == vr::SQ && !element.container && element.length > 0) {
        return {Action::Remove, "a sequence that cannot be read"};
    }
    if (element.tag == tags::ReasonForRequestedProcedureCodeSequence && element.depth > 0) {
        return {Action::Empty, "type 2 in Hanging Protocol Definition Sequence"};
    }
    if (const auto* const row = find_row(element.tag)) {
        return by_table(*row, element.tag, vr, element.depth == 0 ? iod : Iod::strictest());
    }
    if ((element.tag.group() & 0xff00U) == 0x6000) {
        return {Action::Remove, "overlay"};
    }
    if (element.tag == tags::EncryptedAttributesSequence) {
        return {Action::Remove, "identity sealed by another site"};
    }
    if (known == nullptr && !profile_.keep_unknown_attributes) {
        return {Action::Remove, "not in the data dictionary"};
    }
    if (element.tag == tags::PixelData && profile_.paints()) {
        return {Action::Keep, "boxes are painted where a pixel rule fits"};
    }
    const auto last = std::find_if(vr_rules_.rbegin(), vr_rules_.rend(), [&](auto i) {
        return profile_.rules[i].selector.selects(place);
    });
    if (last != vr_rules_.rend()) {
        return by_rule(place, profile_.rules[*last], iod);
    }
    return by_vr(element.tag, vr);
}

Decision Rules::by_rule(const Place& place, const Rule& rule, const Iod& iod)
{
    if (rule.action == Action::Keep && (*place).tag.is_private() && is_unreadable(place)) {
        return {Action::Remove, "a private value that is not what it should be", &rule};
    }
    if (rule.action == Action::Encrypt) {
        return {Action::Encrypt, rule.where, &rule, without_value(*place, iod)};
    }
    return {rule.action, rule.where, &rule};
}

/// What the basic profile does to an attribute, or the least that leaves nothing of its value.
Action Rules::without_value(const Element& element, const Iod& iod)
{
    const Tag tag = element.tag;
    if (tag == tags::PatientName || tag == tags::PatientID) {
        return element.depth == 0 ? Action::Code : Action::Empty;
    }
    const auto* const row = tag.is_private() ? nullptr : find_row(tag);
    const auto basic = row != nullptr ? action_of(iod.resolve(row->basic, tag)) : Action::Remove;
    const bool leaves_value = basic == Action::Keep || basic == Action::Clean;
    return (basic == Action::Remove && must_stay(tag)) || leaves_value ? Action::Dummy : basic;
}

Decision Rules::by_table(const TableRow& row, Tag tag, Vr vr, const Iod& iod) const
{
    const Action resolved = action_of(iod.resolve(row.basic, tag));
    const Action basic = resolved == Action::Remove && must_stay(tag) ? Action::Dummy : resolved;
    bool keep = false;
    bool clean = false;
    bool shift = false;
    for (std::size_t column = 0; column < option_columns; ++column) {
        const auto option = static_cast<Option>(column);
        const char letter = profile_.options.has(option) ? row.option(option) : '-';
        keep = keep || letter == 'K';
        shift = shift || (letter == 'C' && option == Option::RetainLongitudinalModifiedDates);
        clean = clean || (letter == 'C' && option != Option::RetainLongitudinalModifiedDates);
    }
    const auto groups = tag.group() & 0xff00U; // curves and overlays repeat by group
    const bool drawing = groups == 0x5000 || groups == 0x6000;
    if (drawing && clean) {
        return {basic, "PS3.15 Table E.1-1: a drawing cannot be cleaned, so it goes"};
    }
    if (shift && (!keep || profile_.shift_device_dates)) {
        return dated(basic, "PS3.15 Table E.1-1, modified dates");
    }
    // Of two options the one that leaves less decides.
    if (clean) {
        return {Action::Clean, "PS3.15 Table E.1-1, a clean option", nullptr, basic};
    }
    if (keep) {
        return {capped(Action::Keep, vr), "PS3.15 Table E.1-1, a retain option", nullptr, basic};
    }
    return {basic, "PS3.15 Table E.1-1, basic profile"};
}

/// The net under the table, by value representation.
Decision Rules::by_vr(Tag tag, Vr vr) const
{
    const auto& options = profile_.options;
    const auto gone = must_stay(tag) ? Action::Dummy : Action::Remove;
    switch (vr) {
    case vr::UI:
        if (names_a_kind(tag)) {
            return {Action::Keep, "names a kind, not a thing"};
        }
        return {options.has(Option::RetainUids) ? Action::Keep : Action::Uid, "any other UID"};
    case vr::PN:
    case vr::AE:
    case vr::UR:
        return {Action::Remove, "a name, a title or an address"};
    case vr::DA:
    case vr::DT:
    case vr::TM:
        return dated(gone, "any other date or time");
    case vr::LT:
    case vr::ST:
    case vr::UT: {
        const bool clean = options.has(Option::CleanDescriptors) ||
                           options.has(Option::CleanStructuredContent) || options.has(Option::CleanGraphics);
        return {clean && !must_stay(tag) ? Action::Clean : gone, "free text"};
    }
    default:
        return {capped(Action::Keep, vr), "says nothing of a person"};
    }
}

Decision Rules::dated(Action otherwise, std::string_view why) const
{
    const auto& options = profile_.options;
    if (options.has(Option::RetainLongitudinalFullDates)) {
        return {Action::Keep, why};
    }
    if (options.has(Option::RetainLongitudinalModifiedDates)) {
        return {Action::Shift, why, nullptr, otherwise};
    }
    return {otherwise, why};
}

Decision Rules::private_element(const Place& place) const
{
    const Element& element = *place;
    if (profile_.private_attributes == PrivateAttributes::Remove) {
        return {Action::Remove, "private attribute"};
    }
    if (element.tag.is_private_creator()) {
        const bool used = keeps_block(place);
        return {
            used ? Action::Keep : Action::Remove,
            used ? "owner of what is kept" : "owner of nothing that is kept"};
    }
    const auto creator = place.blocks.creator_of(element);
    if (creator.empty()) {
        return {Action::Remove, "private attribute without an owner"};
    }
    if (profile_.private_attributes == PrivateAttributes::Safe && !is_safe_private(element.tag, creator)) {
        return {Action::Remove, "private attribute that is not known to be safe"};
    }
    if (is_unreadable(place)) {
        return {Action::Remove, "a private value that is not what it should be"};
    }
    return by_vr(element.tag, private_vr_of(place));
}

/// Elements of a block stand behind their creator, in the same group.
bool Rules::keeps_block(const Place& creator) const
{
    const auto end = creator.index.end_of((*creator).parent);
    for (auto i = (*creator).end; i < end; i = creator.index[i].end) {
        const Tag tag = creator.index[i].tag;
        if (tag.group() != (*creator).tag.group()) {
            break;
        }
        const Place place{creator.index, i, creator.blocks};
        if (tag.element() >> 8U == (*creator).tag.element() &&
            decide(place, Iod::strictest()).action != Action::Remove) {
            return true;
        }
    }
    return false;
}

std::string Rules::explain(std::string_view word, std::string_view sop_class_uid) const
{
    const auto tag = dicom::dictionary::tag_from(word);
    if (!tag) {
        throw Error{
            ErrorKind::Usage, "cannot explain", word, "no attribute of the data dictionary, and no tag"};
    }
    const auto bytes =
        dicom::encode_element(*tag, dicom::dictionary::vr_of(*tag), {}, dicom::ExplicitLittleEndian);
    const auto index = dicom::ElementIndex::walk(bytes, dicom::ExplicitLittleEndian);
    const dicom::PrivateBlocks blocks{index};
    const auto decision = decide({index, 0, blocks}, Iod::of_class(sop_class_uid));
    return fmt::format(
        "{} {}: {} ({})", dicom::dictionary::name_of(*tag), *tag, name_of(decision.action), decision.why);
}

} // namespace dcmpipe::deid
