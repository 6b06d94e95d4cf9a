#pragma once

#include "core/rope.hpp"
#include "dicom/rewriter.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// The fragments of one frame.
using Fragments = std::vector<std::string_view>;

/// Encapsulated pixel data (PS3.5 §A.4) frame by frame: by its offset tables, by one fragment a frame, or
/// where that fails by the end marker of each JPEG image. Throws Error{Refused}, a reason alone, where the
/// frames cannot be told apart.
std::vector<Fragments> frames_of(
    const dicom::ElementIndex& data_set, std::uint32_t pixel_data, std::uint32_t frames);

/// Puts other frames in the place of an instance's, one fragment each. Offset tables that have entries get
/// new ones.
void replace_frames(
    dicom::Rewriter& rewriter, const dicom::ElementIndex& data_set, std::uint32_t pixel_data,
    std::vector<std::string> frames);

} // namespace dcmpipe::deid
