#pragma once

#include "dicom/instance.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace dcmpipe::deid {

/// The bits of a pixel cell that hold overlays instead of image: an overlay group without data of its own
/// stands in the bit that Overlay Bit Position (60xx,0102) names (PS3.3 §C.9.2, retired but met). 0: none.
std::uint32_t embedded_overlay_bits(const dicom::ElementIndex& data_set);

/// Native pixel data with these bits cleared; nothing where that would change the image, or where the pixels
/// are compressed or of an odd kind: such an overlay cannot be taken out.
std::optional<std::string> without_bits(const dicom::Instance& instance, std::uint32_t bits);

} // namespace dcmpipe::deid
