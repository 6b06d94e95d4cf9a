#pragma once

#include "deid/pixels/codec_host.hpp"
#include "deid/pixels/rules.hpp"
#include "dicom/instance.hpp"
#include "dicom/rewriter.hpp"

#include <memory>

namespace dcmpipe::deid {

/// Blacks out what rules know of the pixels of instances, and keeps back what must not pass as it is.
/// Immutable; any thread may use it.
class PixelCleaner {
public:
    /// Without `codecs`, compressed pixels that a rule is for are refused.
    PixelCleaner(std::vector<PixelRule> rules, std::shared_ptr<const CodecHost> codecs);

    /// What the rules say. Throws Error{Refused} where they keep the instance back, where its pixels hold
    /// identity by its own word (0028,0301) and no rule knows where, and where the boxes cannot be painted
    /// into such pixels.
    PixelVerdict judge(const dicom::Instance& instance) const;

    /// Paints the verdict's boxes into every frame and clears its overlay bits: the pixel data and its offset
    /// tables become patches. What stays is borrowed from the instance. Throws Error{Refused} where that
    /// fails.
    void paint(const dicom::Instance& instance, const PixelVerdict& verdict, dicom::Rewriter& into) const;

private:
    std::vector<PixelRule> rules_;
    std::shared_ptr<const CodecHost> codecs_;
};

/// True where an instance, by (0012,0064), went through the Clean Pixel Data Option.
bool claims_clean_pixels(const dicom::ElementIndex& data_set);

} // namespace dcmpipe::deid
