#include "image.hpp"

#include <bit>

#include <fmt/format.h>

namespace studies {

namespace {

constexpr double lowest = -330;
constexpr double highest = 300;

} // namespace

void put_pixel_format(DcmItem& data_set, const PixelFormat& format)
{
    set(data_set, DCM_SamplesPerPixel, format.samples);
    set(data_set, DCM_PhotometricInterpretation, format.photometric);
    if (format.samples > 1) {
        set(data_set, DCM_PlanarConfiguration, std::uint16_t{0});
    }
    set(data_set, DCM_Rows, static_cast<std::uint16_t>(format.rows));
    set(data_set, DCM_Columns, static_cast<std::uint16_t>(format.columns));
    set(data_set, DCM_BitsAllocated, format.bits_allocated);
    set(data_set, DCM_BitsStored, format.bits_stored);
    set(data_set, DCM_HighBit, static_cast<std::uint16_t>(format.bits_stored - 1));
    set(data_set, DCM_PixelRepresentation, std::uint16_t{0});
}

void put_plane(DcmItem& data_set, const Grid& grid, double z, double thickness)
{
    set(data_set, DCM_PixelSpacing, fmt::format("{0:.6f}\\{0:.6f}", grid.spacing()));
    set(data_set, DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
    set(data_set, DCM_ImagePositionPatient, fmt::format("{0:.4f}\\{0:.4f}\\{1:.3f}", grid.origin(), z));
    set(data_set, DCM_SliceThickness, fmt::format("{:.4f}", thickness));
    set(data_set, DCM_SliceLocation, fmt::format("{:.3f}", z));
}

std::vector<std::uint16_t> draw(
    const Grid& grid, double z, std::uint16_t (*value_of)(Tissue), unsigned noise, Random random)
{
    static thread_local std::vector<Tissue> tissues;
    paint(grid, z, tissues);
    std::vector<std::uint16_t> pixels(tissues.size());
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        // The number of set bits among 16 spreads like noise, at a quarter of a random number a pixel.
        bits = i % 4 == 0 ? random.next() : bits >> 16U;
        const int deviation = (std::popcount(bits & 0xffffU) - 8) * static_cast<int>(noise) / 2;
        pixels[i] = static_cast<std::uint16_t>(std::max(0, value_of(tissues[i]) + deviation));
    }
    return pixels;
}

double thickness_of(unsigned count)
{
    return (highest - lowest) / count;
}

double height_of(unsigned slice, unsigned count)
{
    return lowest + (slice + 0.5) * thickness_of(count);
}

} // namespace studies
