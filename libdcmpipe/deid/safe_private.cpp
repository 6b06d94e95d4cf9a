#include "deid/safe_private.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace dcmpipe::deid {

namespace {

struct SafeElement {
    std::string_view creator;
    unsigned group;
    unsigned element; ///< within the block: its last two digits

    constexpr auto key() const { return std::tuple{creator, group, element}; }
};

constexpr SafeElement safe[] = {
#include "deid/safe_private.inc"
};

constexpr bool before(const SafeElement& a, const SafeElement& b)
{
    return a.key() < b.key();
}
static_assert(std::is_sorted(std::begin(safe), std::end(safe), before));

} // namespace

bool is_safe_private(dicom::Tag tag, std::string_view creator) noexcept
{
    const SafeElement wanted{creator, tag.group(), tag.element() & 0xffU};
    return std::binary_search(std::begin(safe), std::end(safe), wanted, before);
}

} // namespace dcmpipe::deid
