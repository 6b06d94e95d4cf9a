#include "deid/embedded_overlays.hpp"

#include "dicom/tags.hpp"

namespace dcmpipe::deid {

namespace tags = dicom::tags;
using dicom::ElementIndex;
using dicom::Tag;

std::uint32_t embedded_overlay_bits(const ElementIndex& data_set)
{
    constexpr std::uint16_t none = 0xffff;
    std::uint32_t bits = 0;
    for (std::uint16_t group = 0x6000; group <= 0x601e; group += 2) {
        const auto allocated = data_set.unsigned_short(Tag{group, 0x0100}, 1);
        const auto position = data_set.unsigned_short(Tag{group, 0x0102}, none);
        const bool own_data = data_set.find(Tag{group, 0x3000}) != ElementIndex::None;
        if (!own_data && allocated > 1 && position < 32) {
            bits |= 1U << position;
        }
    }
    return bits;
}

std::optional<std::string> without_bits(const dicom::Instance& instance, std::uint32_t bits)
{
    const auto& data_set = instance.data_set();
    const auto pixels = data_set.find(tags::PixelData);
    const unsigned allocated = data_set.unsigned_short(tags::BitsAllocated, 0);
    const unsigned stored = data_set.unsigned_short(tags::BitsStored, 0);
    const unsigned high = data_set.unsigned_short(tags::HighBit, 0);
    const bool sound = (allocated == 8 || allocated == 16) && stored > 0 && stored <= allocated &&
                       high < allocated && high + 1 >= stored;
    if (pixels == ElementIndex::None || data_set[pixels].container || !sound) {
        return std::nullopt;
    }
    const std::uint32_t image = ((1U << stored) - 1U) << (high + 1 - stored);
    if ((bits & image) != 0 || bits >> allocated != 0) {
        return std::nullopt;
    }
    std::string cells{data_set.value(data_set[pixels])};
    const bool big_endian = data_set[pixels].encoding.big_endian;
    const std::size_t size = allocated / 8;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const auto byte = big_endian ? size - 1 - i % size : i % size;
        cells[i] = static_cast<char>(static_cast<unsigned char>(cells[i]) & ~(bits >> 8 * byte));
    }
    return cells;
}

} // namespace dcmpipe::deid
