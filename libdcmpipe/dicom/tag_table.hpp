#pragma once

#include "dicom/tag.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dcmpipe::dicom {

/// Finds a tag among `Count` that are known when the program is built: one multiplication and a look or two,
/// where a binary search takes a dozen steps that no processor foresees. Each tag must stand once.
template <std::size_t Count>
class TagTable {
public:
    static_assert(Count < 0xffff);

    constexpr explicit TagTable(const std::array<std::uint32_t, Count>& tags) : tags_(tags)
    {
        for (std::size_t i = 0; i < Count; ++i) {
            auto slot = slot_of(tags[i]);
            while (slots_[slot] != 0) {
                slot = (slot + 1) % slots;
            }
            slots_[slot] = static_cast<std::uint16_t>(i + 1);
        }
    }

    /// The place of the tag among those given; Count where it is none of them.
    constexpr std::size_t find(Tag tag) const noexcept
    {
        for (auto slot = slot_of(tag.value); slots_[slot] != 0; slot = (slot + 1) % slots) {
            if (tags_[slots_[slot] - 1U] == tag.value) {
                return slots_[slot] - 1U;
            }
        }
        return Count;
    }

private:
    static constexpr std::size_t slots = std::bit_ceil(Count * 2);

    static constexpr std::size_t slot_of(std::uint32_t tag)
    {
        return (tag * 2654435761U) >> (32U - static_cast<unsigned>(std::bit_width(slots) - 1));
    }

    std::array<std::uint32_t, Count> tags_;
    std::array<std::uint16_t, slots> slots_{}; ///< counted from 1; 0 is none
};

} // namespace dcmpipe::dicom
