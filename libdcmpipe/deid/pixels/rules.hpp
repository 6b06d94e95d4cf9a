#pragma once

#include "deid/pixels/paint.hpp"
#include "dicom/instance.hpp"
#include "dicom/match.hpp"

#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::deid {

class Members;

/// What is known of the pixels of some instances: where a device writes who its patient is, or that such
/// images must not pass.
struct PixelRule {
    /// What the boxes mean.
    enum class Paint {
        Boxes,   ///< paint them; none: the device is known to write nothing
        All,     ///< paint the whole image
        Outside, ///< paint what lies in none of the image's ultrasound regions (0018,6011)
    };

    dicom::Condition when;
    dicom::Condition unless;
    Paint paint = Paint::Boxes;
    std::vector<Box> boxes;
    std::string keep_back; ///< why such instances are kept back unless another rule paints them; or empty

    bool is_for(const dicom::Instance& instance) const;
};

/// One rule of a profile's list "pixels". Throws Error{Usage} with line and column.
PixelRule read_pixel_rule(Members& members);

/// The rules for devices that are built in: what `--clean-pixel-data` adds to a profile's own.
const std::vector<PixelRule>& device_rules();

/// What the rules say of one instance.
struct PixelVerdict {
    bool known = false;                   ///< a rule says where its text stands, if it has any
    std::vector<Box> boxes;               ///< to be painted, inside the image
    std::uint32_t overlay_bits = 0;       ///< of each sample, to be cleared; the rules say nothing of them
    std::optional<std::string> keep_back; ///< unless known
};

/// Of all rules for an instance: every box of each of them.
PixelVerdict judge_pixels(const std::vector<PixelRule>& rules, const dicom::Instance& instance);

} // namespace dcmpipe::deid
