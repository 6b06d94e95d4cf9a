#include "deid/table.hpp"

#include "dicom/tag_table.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace dcmpipe::deid {

namespace {

using dicom::Tag;

constexpr TableRow rows[] = {
#include "deid/table_e1_1.inc"
};

static_assert(std::is_sorted(std::begin(rows), std::end(rows), [](const TableRow& a, const TableRow& b) {
    return a.tag < b.tag;
}));
static_assert(std::all_of(std::begin(rows), std::end(rows), [](const TableRow& row) {
    return row.options.size() == option_columns;
}));

constexpr dicom::TagTable places{[] {
    std::array<std::uint32_t, std::size(rows)> tags{};
    std::transform(
        std::begin(rows), std::end(rows), tags.begin(), [](const TableRow& row) { return row.tag.value; });
    return tags;
}()};

constexpr bool matches(const TableRow& row, Tag tag)
{
    return (tag.value & row.mask) == row.tag.value;
}

} // namespace

std::span<const TableRow> table() noexcept
{
    return rows;
}

const TableRow* find_row(Tag tag) noexcept
{
    if (const auto place = places.find(tag); place < std::size(rows)) {
        return &rows[place];
    }
    const auto high = tag.group() >> 8U;
    if (high != 0x50 && high != 0x60) {
        return nullptr;
    }
    const auto* const masked = std::find_if(std::begin(rows), std::end(rows), [&](const TableRow& row) {
        return row.mask != 0xffffffffU && matches(row, tag);
    });
    return masked != std::end(rows) ? masked : nullptr;
}

} // namespace dcmpipe::deid
