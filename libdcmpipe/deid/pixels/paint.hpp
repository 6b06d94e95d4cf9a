#pragma once

#include "core/rope.hpp"
#include "deid/pixels/format.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// A rectangle of an image, in pixels, from its upper left corner.
struct Box {
    std::uint32_t x = 0;
    std::uint32_t y = 0;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

/// What lies inside the image.
std::vector<Box> clipped(const std::vector<Box>& boxes, std::uint32_t columns, std::uint32_t rows);

/// Bytes of one native frame that become black.
struct Stroke {
    std::size_t offset;
    std::size_t length;
    unsigned plane; ///< 0 unless samples lie by plane
};

/// The strokes of clipped boxes, in ascending order, disjoint.
std::vector<Stroke> strokes_of(const PixelFormat& format, const std::vector<Box>& boxes);

/// Black pixels of a plane, `length` bytes of them.
std::string black_bytes(const PixelFormat& format, unsigned plane, std::size_t length, bool big_endian);

/// Paints the boxes into one native frame in little endian.
void paint_frame(std::string& frame, const PixelFormat& format, const std::vector<Box>& boxes);

/// Clears bits of every sample: where old devices put the dots of overlays (PS3.3 §C.9.2.1.2, retired).
void clear_bits(std::string& pixels, const PixelFormat& format, std::uint32_t bits, bool big_endian);

/// Native pixel data with the boxes painted into every frame, and into what may follow the last one. Borrows
/// what stays from `value`.
Rope painted(
    std::string_view value, const PixelFormat& format, const std::vector<Box>& boxes, bool big_endian);

} // namespace dcmpipe::deid
