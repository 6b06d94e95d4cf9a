#include "deid/pixels/format.hpp"

#include "core/error.hpp"
#include "dicom/tags.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
using dicom::ElementIndex;
using dicom::read_u16;

namespace {

/// A frame larger than this is no image that a device writes text into.
constexpr std::uint64_t most_frame_bytes = 256U << 20U;

[[noreturn]] void refuse(const std::string& reason)
{
    throw Error{ErrorKind::Refused, reason};
}

std::uint32_t number_of_frames(const ElementIndex& data_set)
{
    auto text = data_set.text(tags::NumberOfFrames);
    text.remove_prefix(std::min(text.find_first_not_of(" +"), text.size()));
    std::uint32_t frames = 1;
    if (!text.empty() &&
        (std::from_chars(text.data(), text.data() + text.size(), frames).ec != std::errc{} || frames == 0)) {
        refuse("the number of frames is none");
    }
    return frames;
}

/// The entry of a palette whose colours add up to the least; 0 where the palette is segmented or odd.
std::uint32_t darkest_entry(const ElementIndex& data_set)
{
    constexpr std::array lookups{
        std::pair{tags::RedPaletteColorLookupTableDescriptor, tags::RedPaletteColorLookupTableData},
        std::pair{tags::GreenPaletteColorLookupTableDescriptor, tags::GreenPaletteColorLookupTableData},
        std::pair{tags::BluePaletteColorLookupTableDescriptor, tags::BluePaletteColorLookupTableData}};
    std::vector<std::uint32_t> sums;
    std::uint16_t first = 0;
    for (const auto& [descriptor, data] : lookups) {
        const auto at = data_set.find(descriptor);
        const auto values = data_set.find(data);
        if (at == ElementIndex::None || values == ElementIndex::None || data_set[at].length != 6) {
            return 0;
        }
        const bool big_endian = data_set[at].encoding.big_endian;
        const auto described = data_set.value(data_set[at]);
        const std::size_t entries = read_u16(described, 0, big_endian);
        first = read_u16(described, 2, big_endian);
        const auto lookup = data_set.value(data_set[values]);
        if (entries == 0 || lookup.size() < entries * 2 || (!sums.empty() && sums.size() != entries)) {
            return 0;
        }
        sums.resize(entries);
        for (std::size_t i = 0; i < entries; ++i) {
            sums[i] += read_u16(lookup, i * 2, big_endian);
        }
    }
    return first + static_cast<std::uint32_t>(std::min_element(sums.begin(), sums.end()) - sums.begin());
}

std::array<std::uint32_t, 3> black_of(const PixelFormat& format, const ElementIndex& data_set)
{
    const auto bits = [&](unsigned stored) { return stored == 32 ? 0xffffffffU : (1U << stored) - 1U; };
    const auto shift = format.high_bit + 1U - format.bits_stored;
    const auto& photometric = format.photometric;
    std::array<std::uint32_t, 3> black{};
    if (photometric == "PALETTE COLOR") {
        black[0] = darkest_entry(data_set) & bits(format.bits_stored);
    } else if (photometric == "MONOCHROME1") {
        black[0] = bits(format.bits_stored - (format.is_signed ? 1U : 0U));
    } else if (photometric == "MONOCHROME2") {
        // The lowest of two's complement, its sign repeated in the bits above.
        black[0] =
            format.is_signed ? ~bits(format.bits_stored - 1U) & bits(format.bits_allocated - shift) : 0;
    } else if (photometric != "RGB") {
        const auto middle = 1U << (format.bits_stored - 1U);
        const auto lowest = photometric == "YBR_PARTIAL_422" ? middle / 8 : 0;
        black = {lowest, middle, middle};
    }
    for (auto& value : black) {
        value <<= shift;
    }
    return black;
}

} // namespace

std::size_t PixelFormat::frame_bytes() const
{
    const auto pixels = std::size_t{rows} * columns;
    return (is_422() ? pixels * 2 : pixels * samples) * sample_bytes();
}

PixelFormat pixel_format_of(const ElementIndex& data_set)
{
    const auto number = [&](dicom::Tag tag) { return data_set.unsigned_short(tag, 0); };
    PixelFormat format;
    format.rows = number(tags::Rows);
    format.columns = number(tags::Columns);
    format.frames = number_of_frames(data_set);
    format.samples = data_set.unsigned_short(tags::SamplesPerPixel, 1);
    format.bits_allocated = number(tags::BitsAllocated);
    format.bits_stored = data_set.unsigned_short(tags::BitsStored, format.bits_allocated);
    format.high_bit = data_set.unsigned_short(
        tags::HighBit, static_cast<std::uint16_t>(std::max(format.bits_stored - 1, 0)));
    format.is_signed = number(tags::PixelRepresentation) != 0;
    format.photometric = data_set.text(tags::PhotometricInterpretation);
    format.by_plane = format.samples > 1 && number(tags::PlanarConfiguration) == 1;
    constexpr std::array one_sample{"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"};
    constexpr std::array three_samples{"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422"};
    const auto is_photometric = [&](std::string_view name) { return name == format.photometric; };
    if (format.rows == 0 || format.columns == 0) {
        refuse("the image has no rows or columns");
    }
    if (format.bits_allocated != 8 && format.bits_allocated != 16 && format.bits_allocated != 32) {
        refuse(fmt::format("{} bits allocated cannot be painted", format.bits_allocated));
    }
    if (format.bits_stored == 0 || format.high_bit >= format.bits_allocated ||
        format.high_bit + 1 < format.bits_stored) {
        refuse("its bits stored do not fit its bits allocated");
    }
    const bool known =
        (format.samples == 1 && std::any_of(one_sample.begin(), one_sample.end(), is_photometric)) ||
        (format.samples == 3 && std::any_of(three_samples.begin(), three_samples.end(), is_photometric));
    if (!known) {
        refuse("its photometric interpretation cannot be painted");
    }
    if (format.frame_bytes() > most_frame_bytes) {
        refuse("its frames are larger than 256 MiB");
    }
    format.black = black_of(format, data_set);
    return format;
}

} // namespace dcmpipe::deid
