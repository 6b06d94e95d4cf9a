#include "deid/pixels/cleaner.hpp"

#include "core/error.hpp"
#include "deid/pixels/format.hpp"
#include "dicom/tags.hpp"

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::Element;
using dicom::ElementIndex;

namespace {

[[noreturn]] void refuse(const std::string& reason)
{
    throw Error{ErrorKind::Refused, reason};
}

bool has_pixels(const ElementIndex& data_set)
{
    for (const auto tag : {tags::PixelData, tags::FloatPixelData, tags::DoubleFloatPixelData}) {
        if (data_set.find(tag) != ElementIndex::None) {
            return true;
        }
    }
    return false;
}

/// Those whose pixels, where they are not encapsulated, lie as PS3.5 §8.1.1 says. A compressed syntax around
/// pixels of a plain length is a mistake that readers take in more ways than one.
bool is_native(const dicom::Instance& instance)
{
    namespace syntax = dicom::transfer_syntax;
    const auto& uid = instance.transfer_syntax();
    return uid == syntax::ImplicitVRLittleEndian || uid == syntax::ExplicitVRLittleEndian ||
           uid == syntax::ExplicitVRBigEndian || uid == syntax::DeflatedExplicitVRLittleEndian;
}

void require_native(const dicom::Instance& instance, const PixelFormat& format)
{
    if (format.is_422() && (format.by_plane || format.columns % 2 != 0)) {
        refuse("its pixels do not pair");
    }
    const auto& data_set = instance.data_set();
    const auto& pixels = data_set[data_set.find(tags::PixelData)];
    if (pixels.length / format.frame_bytes() < format.frames) {
        refuse("its pixel data is shorter than its frames");
    }
}

PixelFormat format_to_paint(const dicom::Instance& instance)
{
    const auto& data_set = instance.data_set();
    const auto pixels = data_set.find(tags::PixelData);
    if (pixels == ElementIndex::None) {
        refuse("pixels of floating point numbers cannot be painted");
    }
    if (data_set[pixels].fragments ? !can_repaint(instance.transfer_syntax()) : !is_native(instance)) {
        refuse("its transfer syntax cannot be painted");
    }
    auto format = pixel_format_of(data_set);
    if (!data_set[pixels].fragments) {
        require_native(instance, format);
    }
    return format;
}

PixelVerdict judge_unnamed(const std::vector<PixelRule>& rules, const dicom::Instance& instance)
{
    const auto& data_set = instance.data_set();
    if (!has_pixels(data_set)) {
        return {};
    }
    auto verdict = judge_pixels(rules, instance);
    if (!verdict.known) {
        if (dicom::fits(data_set.text(tags::BurnedInAnnotation), "y*")) {
            refuse(
                "it says that its pixels hold identity (BurnedInAnnotation), and no pixel rule knows where");
        }
        if (verdict.keep_back) {
            refuse(*verdict.keep_back);
        }
    }
    if (!verdict.boxes.empty()) {
        format_to_paint(instance);
    }
    return verdict;
}

/// Bits that the pixels use themselves are no place for an overlay: one of the two attributes is wrong.
void require_unused(const PixelFormat& format, std::uint32_t bits)
{
    const auto lowest = format.high_bit + 1U - format.bits_stored;
    for (unsigned bit = 0; bit < 32; ++bit) {
        const bool is_pixel = bit >= lowest && bit <= format.high_bit;
        if ((bits >> bit & 1U) != 0 && (is_pixel || bit >= format.bits_allocated)) {
            refuse("its overlays lie in bits that its pixels use");
        }
    }
}

void paint_unnamed(
    const CodecHost* codecs, const dicom::Instance& instance, const PixelVerdict& verdict,
    dicom::Rewriter& into)
{
    const auto& data_set = instance.data_set();
    const auto format = format_to_paint(instance);
    const auto& boxes = verdict.boxes;
    require_unused(format, verdict.overlay_bits);
    const auto number = data_set.find(tags::PixelData);
    const Element& pixels = data_set[number];
    if (!pixels.fragments) {
        Rope rope;
        rope.borrow(data_set.raw(pixels).substr(0, pixels.header_size));
        // OB is a stream of bytes whatever the order of the data set (PS3.5 §7.3).
        const bool big_endian = pixels.encoding.big_endian && pixels.vr != vr::OB;
        auto result = painted(data_set.value(pixels), format, boxes, big_endian);
        if (verdict.overlay_bits != 0) {
            auto all = result.str();
            clear_bits(all, format, verdict.overlay_bits, big_endian);
            rope.own(std::move(all));
        } else {
            rope.append(std::move(result));
        }
        into.replace_raw(number, std::move(rope));
        return;
    }
    if (codecs == nullptr) {
        refuse("its transfer syntax cannot be painted here");
    }
    CodecProcess codec{*codecs, {instance.transfer_syntax(), format, boxes, verdict.overlay_bits}};
    std::vector<std::string> frames;
    for (const auto& frame : frames_of(data_set, number, format.frames)) {
        frames.push_back(codec.repaint(frame));
    }
    replace_frames(into, data_set, number, std::move(frames));
}

/// Names the instance in what is thrown as a reason alone.
template <class Step>
auto named(const dicom::Instance& instance, Step step)
{
    try {
        return step();
    } catch (const Error& error) {
        throw Error{error.kind(), "cannot de-identify", instance.name(), error.what()};
    }
}

} // namespace

PixelCleaner::PixelCleaner(std::vector<PixelRule> rules, std::shared_ptr<const CodecHost> codecs)
    : rules_(std::move(rules)), codecs_(std::move(codecs))
{
}

PixelVerdict PixelCleaner::judge(const dicom::Instance& instance) const
{
    return named(instance, [&] { return judge_unnamed(rules_, instance); });
}

void PixelCleaner::paint(
    const dicom::Instance& instance, const PixelVerdict& verdict, dicom::Rewriter& into) const
{
    named(instance, [&] { paint_unnamed(codecs_.get(), instance, verdict, into); });
}

bool claims_clean_pixels(const ElementIndex& data_set)
{
    const auto sequence = data_set.find(tags::DeidentificationMethodCodeSequence);
    if (sequence == ElementIndex::None || !data_set[sequence].is_sequence()) {
        return false;
    }
    for (auto item = data_set.first_child(sequence); item < data_set.end_of(sequence);
         item = data_set[item].end) {
        if (data_set.text(tags::CodeValue, item) == "113101") {
            return true;
        }
    }
    return false;
}

} // namespace dcmpipe::deid
