#pragma once

#include "deid/pixels/paint.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// What the data set says of an image's colours, as far as black depends on it.
enum class Colours {
    Usual,
    RedGreenBlue, ///< unless the image itself says otherwise
    BlackIsHigh,  ///< MONOCHROME1
};

/// A lossy JPEG image (8 bits, Huffman-coded, sequential or progressive) with every block of coefficients
/// that a box touches made black: a block of each component, so 8 x 8 pixels, or 16 x 8 or 16 x 16 where
/// colour is subsampled. All other coefficients stay as they are: nothing is lost a second time. Comments and
/// application segments, which can hold text, go. Throws Error{Refused}, a reason alone, for a damaged image
/// or one of 12 bits.
std::string repaint_blocks(std::string_view image, const std::vector<Box>& boxes, Colours colours);

} // namespace dcmpipe::deid
