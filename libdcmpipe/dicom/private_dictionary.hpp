#pragma once

#include "dicom/tag.hpp"
#include "dicom/vr.hpp"

#include <string_view>

namespace dcmpipe::dicom {

/// The VR of a private element by its creator and its number within the block, from DCMTK's dictionary
/// of private tags (a table made at build time) and a few rows of our own; UN where neither has it. Pure; any
/// thread may call it.
Vr private_vr(Tag tag, std::string_view creator) noexcept;

} // namespace dcmpipe::dicom
