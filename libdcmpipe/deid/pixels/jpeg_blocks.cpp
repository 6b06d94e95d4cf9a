#include "deid/pixels/jpeg_blocks.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <jpeglib.h>

namespace dcmpipe::deid {

namespace {

/// libjpeg leaves a failure by a jump: nothing in between has a destructor.
struct Failure {
    jpeg_error_mgr manager;
    std::jmp_buf from;
};

[[noreturn]] void fail(j_common_ptr image)
{
    std::longjmp(reinterpret_cast<Failure*>(image->err)->from, 1);
}

void say_nothing(j_common_ptr /*image*/) {}

/// A warning means that coefficients were guessed: what another reader shows may be something else.
void fail_on_warning(j_common_ptr image, int level)
{
    if (level < 0) {
        fail(image);
    }
}

jpeg_error_mgr* errors_of(Failure& failure)
{
    auto* const manager = ::jpeg_std_error(&failure.manager);
    manager->error_exit = fail;
    manager->output_message = say_nothing;
    manager->emit_message = fail_on_warning;
    return manager;
}

struct Range {
    JDIMENSION from;
    JDIMENSION to;
};

/// The blocks, in one direction, that hold pixels from `start` to `start + length`.
Range blocks_of(std::uint64_t start, std::uint64_t length, int sampling, int most_sampling, JDIMENSION blocks)
{
    const auto scale = static_cast<std::uint64_t>(sampling);
    const auto pixels = static_cast<std::uint64_t>(DCTSIZE * most_sampling);
    const auto inside = [&](std::uint64_t block) {
        return static_cast<JDIMENSION>(std::min<std::uint64_t>(block, blocks));
    };
    return {inside(start * scale / pixels), inside(((start + length) * scale + pixels - 1) / pixels)};
}

/// The first coefficient of a block of one value: the lowest, the highest or the middle one.
JCOEF flat(const jpeg_component_info& component, int value)
{
    const int step = component.quant_table != nullptr ? component.quant_table->quantval[0] : 1;
    const int level = value * DCTSIZE;
    // Away from the middle, so that no rest of grey is left; but never past what eight bits can say.
    const int coefficient = (level + (level < 0 ? 1 - step : step - 1)) / step;
    return static_cast<JCOEF>(std::clamp(coefficient, -1024, 1023));
}

void blacken(
    jpeg_decompress_struct& image, jvirt_barray_ptr* coefficients, const Box* boxes, std::size_t count,
    Colours colours)
{
    // Without a marker of its own the image is what its data set says.
    const bool marked = image.saw_JFIF_marker != 0 || image.saw_Adobe_marker != 0;
    const bool has_chroma =
        image.jpeg_color_space == JCS_YCbCr && (marked || colours != Colours::RedGreenBlue);
    for (int number = 0; number < image.num_components; ++number) {
        const auto& component = image.comp_info[number];
        const int value = has_chroma && number > 0 ? 0 : colours == Colours::BlackIsHigh ? 127 : -128;
        const JCOEF first = flat(component, value);
        for (std::size_t i = 0; i < count; ++i) {
            const Box& box = boxes[i];
            const auto across = blocks_of(
                box.x, box.width, component.h_samp_factor, image.max_h_samp_factor,
                component.width_in_blocks);
            const auto down = blocks_of(
                box.y, box.height, component.v_samp_factor, image.max_v_samp_factor,
                component.height_in_blocks);
            for (JDIMENSION row = down.from; row < down.to; ++row) {
                auto* const line = image.mem->access_virt_barray(
                    reinterpret_cast<j_common_ptr>(&image), coefficients[number], row, 1, TRUE)[0];
                for (JDIMENSION block = across.from; block < across.to; ++block) {
                    std::memset(line[block], 0, sizeof(JBLOCK));
                    line[block][0] = first;
                }
            }
        }
    }
}

/// Gives false where libjpeg failed. `*bytes`, if any, is to be freed.
bool transcode(
    std::string_view image, const Box* boxes, std::size_t count, Colours colours, unsigned char** bytes,
    unsigned long* size)
{
    Failure failure{};
    jpeg_decompress_struct source{};
    jpeg_compress_struct result{};
    source.err = errors_of(failure);
    result.err = source.err;
    if (setjmp(failure.from) != 0) {
        ::jpeg_destroy_compress(&result);
        ::jpeg_destroy_decompress(&source);
        return false;
    }
    ::jpeg_create_decompress(&source);
    ::jpeg_create_compress(&result);
    ::jpeg_mem_src(&source, reinterpret_cast<const unsigned char*>(image.data()), image.size());
    ::jpeg_read_header(&source, TRUE);
    auto* const coefficients = ::jpeg_read_coefficients(&source);
    blacken(source, coefficients, boxes, count, colours);
    ::jpeg_mem_dest(&result, bytes, size);
    ::jpeg_copy_critical_parameters(&source, &result);
    result.optimize_coding = TRUE;
    result.restart_interval = source.restart_interval;
    result.write_JFIF_header = source.saw_JFIF_marker;
    result.write_Adobe_marker = source.saw_Adobe_marker;
    ::jpeg_write_coefficients(&result, coefficients);
    ::jpeg_finish_compress(&result);
    ::jpeg_finish_decompress(&source);
    ::jpeg_destroy_compress(&result);
    ::jpeg_destroy_decompress(&source);
    return true;
}

} // namespace

std::string repaint_blocks(std::string_view image, const std::vector<Box>& boxes, Colours colours)
{
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    const bool good = transcode(image, boxes.data(), boxes.size(), colours, &bytes, &size);
    const std::unique_ptr<unsigned char, decltype(&std::free)> owned{bytes, &std::free};
    if (!good || bytes == nullptr) {
        throw Error{ErrorKind::Refused, "its JPEG image is damaged, or of a kind that cannot be painted"};
    }
    return {reinterpret_cast<const char*>(bytes), size};
}

} // namespace dcmpipe::deid
