#include "dicom/dictionary.hpp"

#include "dicom/tag_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

namespace dcmpipe::dicom::dictionary {

namespace {

struct Row {
    Tag tag;
    std::uint32_t mask; ///< bits that a tag must share; all ones but for repeating groups and elements
    Vr vr;
    std::string_view keyword;
};

constexpr Row rows[] = {
#include "dicom/dictionary_table.inc"
};

constexpr std::uint32_t exact = 0xffffffffU;
constexpr auto repeating_count = static_cast<std::size_t>(
    std::count_if(std::begin(rows), std::end(rows), [](const Row& row) { return row.mask != exact; }));
constexpr std::size_t exact_count = std::size(rows) - repeating_count;

constexpr auto select = []<std::size_t Count>(auto wanted) {
    std::array<Entry, Count> selected{};
    std::size_t next = 0;
    for (const auto& row : rows) {
        if (wanted(row)) {
            selected.at(next++) = {row.tag, row.vr, row.keyword};
        }
    }
    return selected;
};

/// Ordered by tag.
constexpr auto entries = select.operator()<exact_count>([](const Row& row) { return row.mask == exact; });
constexpr auto repeating =
    select.operator()<repeating_count>([](const Row& row) { return row.mask != exact; });

constexpr TagTable places{[] {
    std::array<std::uint32_t, exact_count> tags{};
    std::transform(entries.begin(), entries.end(), tags.begin(), [](const Entry& e) { return e.tag.value; });
    return tags;
}()};

constexpr auto repeating_masks = [] {
    std::array<std::uint32_t, repeating_count> masks{};
    std::size_t next = 0;
    for (const auto& row : rows) {
        if (row.mask != exact) {
            masks.at(next++) = row.mask;
        }
    }
    return masks;
}();

const Entry* find_repeating(Tag tag) noexcept
{
    for (std::size_t i = 0; i < repeating.size(); ++i) {
        if ((tag.value & repeating_masks[i]) == (repeating[i].tag.value & repeating_masks[i])) {
            return &repeating[i];
        }
    }
    return nullptr;
}

/// Entries ordered by keyword, made when first asked for.
const std::vector<const Entry*>& by_keyword()
{
    static const auto sorted = [] {
        std::vector<const Entry*> all;
        all.reserve(entries.size() + repeating.size());
        for (const auto& entry : entries) {
            all.push_back(&entry);
        }
        for (const auto& entry : repeating) {
            all.push_back(&entry);
        }
        std::stable_sort(
            all.begin(), all.end(), [](const Entry* a, const Entry* b) { return a->keyword < b->keyword; });
        return all;
    }();
    return sorted;
}

bool is_repeating_group(Tag tag) noexcept
{
    const auto high = tag.group() >> 8U;
    return high == 0x50 || high == 0x60 || high == 0x7f || tag.group() == 0x0020;
}

} // namespace

const Entry* find(Tag tag) noexcept
{
    const auto place = places.find(tag);
    if (place < entries.size()) {
        return &entries[place];
    }
    return is_repeating_group(tag) && !tag.is_private() ? find_repeating(tag) : nullptr;
}

const Entry* find(std::string_view keyword) noexcept
{
    const auto& all = by_keyword();
    const auto found =
        std::lower_bound(all.begin(), all.end(), keyword, [](const Entry* e, std::string_view word) {
            return e->keyword < word;
        });
    return found != all.end() && (*found)->keyword == keyword ? *found : nullptr;
}

Vr vr_of(Tag tag) noexcept
{
    if (tag.is_group_length()) {
        return vr::UL;
    }
    if (tag.is_private()) {
        return tag.is_private_creator() ? vr::LO : vr::UN;
    }
    const Entry* const entry = find(tag);
    return entry != nullptr ? entry->vr : vr::UN;
}

std::string name_of(Tag tag)
{
    const Entry* const entry = find(tag);
    return entry != nullptr ? std::string{entry->keyword} : fmt::format("{}", tag);
}

std::optional<Tag> tag_from(std::string_view word) noexcept
{
    if (const Entry* const entry = find(word)) {
        return entry->tag;
    }
    if (word.size() == 11 && word.front() == '(' && word.back() == ')') {
        word = word.substr(1, 9);
    }
    std::string digits{word};
    if (digits.size() == 9 && digits[4] == ',') {
        digits.erase(4, 1);
    }
    std::uint32_t value = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() != 8 || error != std::errc{} || rest != end) {
        return std::nullopt;
    }
    return Tag{value};
}

} // namespace dcmpipe::dicom::dictionary
