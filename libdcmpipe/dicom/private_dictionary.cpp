#include "dicom/private_dictionary.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace dcmpipe::dicom {

namespace {

struct Row {
    std::string_view creator;
    unsigned group;
    unsigned element; ///< within the block: its last two digits
    Vr vr;

    /// The creator comes last: most look-ups end before a text is compared.
    constexpr auto key() const { return std::tuple{group, element, creator}; }
};

constexpr Row rows[] = {
#include "dicom/private_table.inc"
};

constexpr Row more_rows[] = {
#include "dicom/private_elements.inc"
};

constexpr bool before(const Row& a, const Row& b)
{
    return a.key() < b.key();
}

// Without this a look-up would miss rows in silence.
static_assert(std::is_sorted(std::begin(rows), std::end(rows), before));
static_assert(std::is_sorted(std::begin(more_rows), std::end(more_rows), before));

template <std::size_t Size>
const Row* find(const Row (&table)[Size], const Row& wanted)
{
    const auto* const found = std::lower_bound(std::begin(table), std::end(table), wanted, before);
    return found != std::end(table) && !before(wanted, *found) ? found : nullptr;
}

} // namespace

Vr private_vr(Tag tag, std::string_view creator) noexcept
{
    const Row wanted{creator, tag.group(), tag.element() & 0xffU, vr::UN};
    const auto* const own = find(more_rows, wanted);
    const auto* const found = own != nullptr ? own : find(rows, wanted);
    return found != nullptr ? found->vr : vr::UN;
}

} // namespace dcmpipe::dicom
