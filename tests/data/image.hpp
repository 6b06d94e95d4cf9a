#pragma once

#include "dcm.hpp"
#include "phantom.hpp"
#include "random.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace studies {

/// Image Pixel module (PS3.3 §C.7.6.3) without the pixels.
struct PixelFormat {
    unsigned rows = 0;
    unsigned columns = 0;
    std::uint16_t bits_allocated = 16;
    std::uint16_t bits_stored = 16;
    std::uint16_t samples = 1;
    std::string_view photometric = "MONOCHROME2";
};

void put_pixel_format(DcmItem& data_set, const PixelFormat& format);

/// Image Plane module (PS3.3 §C.7.6.2) of an axial slice.
void put_plane(DcmItem& data_set, const Grid& grid, double z, double thickness);

/// A slice of the phantom as numbers: `value_of` each tissue, with noise of about `noise` around it.
std::vector<std::uint16_t> draw(
    const Grid& grid, double z, std::uint16_t (*value_of)(Tissue), unsigned noise, Random random);

/// The heights of `count` slices through the whole phantom, from the feet up.
double height_of(unsigned slice, unsigned count);
double thickness_of(unsigned count);

} // namespace studies
