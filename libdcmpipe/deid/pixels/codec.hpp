#pragma once

#include "deid/pixels/paint.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// What is to be done with each frame of an image.
struct PaintJob {
    std::string transfer_syntax;
    PixelFormat format;
    std::vector<Box> boxes;         ///< inside the image
    std::uint32_t overlay_bits = 0; ///< to be cleared in each sample
};

/// True for the compressed transfer syntaxes whose frames can be painted without a loss outside the boxes:
/// RLE, JPEG baseline and extended, JPEG lossless, JPEG-LS.
bool can_repaint(std::string_view transfer_syntax);

/// One compressed frame with the boxes painted, in the same syntax. What runs here is DCMTK's and libjpeg's
/// code on bytes of unknown origin: call it through a CodecHost. Throws Error{Refused}, a reason alone, where
/// the frame is damaged or what was written does not read back as it was painted.
std::string repaint(const PaintJob& job, std::string_view frame);

} // namespace dcmpipe::deid
