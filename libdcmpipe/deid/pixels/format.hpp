#pragma once

#include "dicom/element_index.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace dcmpipe::deid {

/// How the pixels of an image lie in its frames (Image Pixel module, PS3.3 §C.7.6.3).
struct PixelFormat {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t frames = 1;
    std::uint16_t samples = 1; ///< a pixel: 1 or 3
    std::uint16_t bits_allocated = 8;
    std::uint16_t bits_stored = 8;
    std::uint16_t high_bit = 7;
    bool is_signed = false;
    bool by_plane = false; ///< Planar Configuration 1
    std::string photometric;

    std::size_t sample_bytes() const { return bits_allocated / 8U; }
    /// Two pixels share their colour (PS3.3 §C.7.6.3.1.2); only native frames are stored so.
    bool is_422() const { return photometric == "YBR_FULL_422" || photometric == "YBR_PARTIAL_422"; }
    /// Bytes of one native frame.
    std::size_t frame_bytes() const;

    /// The value of each sample of a black pixel, as its bits stand in the sample. MONOCHROME1 shows the
    /// highest value black; of a palette it is its darkest entry.
    std::array<std::uint32_t, 3> black{};
};

/// The format of a data set's pixels. Throws Error{Refused}, a reason alone, for what cannot be painted: an
/// attribute missing or out of range, bits that share bytes, a colour model of the past.
PixelFormat pixel_format_of(const dicom::ElementIndex& data_set);

} // namespace dcmpipe::deid
