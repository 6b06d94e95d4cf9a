#include "deid/iods.hpp"

#include <algorithm>
#include <iterator>

namespace dcmpipe::deid {

namespace {

using dicom::Tag;

struct ClassRow {
    std::string_view sop_class_uid;
    std::string_view letters; ///< one of resolved_tags each: X, Z, D or U, by the attribute's type
};

#include "deid/table_iods.inc"

static_assert(std::is_sorted(std::begin(resolved_tags), std::end(resolved_tags)));
static_assert(
    std::is_sorted(std::begin(class_rows), std::end(class_rows), [](const ClassRow& a, const ClassRow& b) {
        return a.sop_class_uid < b.sop_class_uid;
    }));

/// D serves every type; a class or attribute that is not known is treated as if it were type 1.
constexpr char strict = 'D';

} // namespace

Iod Iod::of_class(std::string_view sop_class_uid) noexcept
{
    const auto* const row = std::lower_bound(
        std::begin(class_rows), std::end(class_rows), sop_class_uid,
        [](const ClassRow& r, std::string_view uid) { return r.sop_class_uid < uid; });
    const bool known = row != std::end(class_rows) && row->sop_class_uid == sop_class_uid;
    return Iod{known ? row->letters : std::string_view{}};
}

TableAction Iod::resolve(TableAction open, Tag tag) const noexcept
{
    const auto* const column = std::lower_bound(std::begin(resolved_tags), std::end(resolved_tags), tag);
    const bool known = !letters_.empty() && column != std::end(resolved_tags) && *column == tag;
    const char letter =
        known ? letters_[static_cast<std::size_t>(column - std::begin(resolved_tags))] : strict;
    const bool optional = letter == 'X';
    switch (open) {
    case TableAction::XZ:
        return optional ? TableAction::X : TableAction::Z;
    case TableAction::XD:
        return optional ? TableAction::X : TableAction::D;
    case TableAction::ZD:
        return letter == 'D' ? TableAction::D : TableAction::Z;
    case TableAction::XZD:
        return optional ? TableAction::X : letter == 'Z' ? TableAction::Z : TableAction::D;
    case TableAction::XZU:
        // References that were replaced identify nobody and keep series linked.
        return TableAction::U;
    default:
        return open;
    }
}

} // namespace dcmpipe::deid
