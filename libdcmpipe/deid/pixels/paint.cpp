#include "deid/pixels/paint.hpp"

#include "dicom/encode.hpp"

#include <algorithm>

namespace dcmpipe::deid {

namespace {

/// The bytes of the pixel that is repeated; by plane, of its one sample.
std::string black_pixel(const PixelFormat& format, unsigned plane, bool big_endian)
{
    const auto sample = [&](std::size_t number) {
        std::string bytes;
        for (std::size_t i = 0; i < format.sample_bytes(); ++i) {
            const auto shift = 8 * (big_endian ? format.sample_bytes() - 1 - i : i);
            bytes += static_cast<char>(format.black.at(number) >> shift & 0xffU);
        }
        return bytes;
    };
    if (format.by_plane) {
        return sample(plane);
    }
    if (format.is_422()) {
        return sample(0) + sample(0) + sample(1) + sample(2);
    }
    return format.samples == 1 ? sample(0) : sample(0) + sample(1) + sample(2);
}

/// Bytes by words of two, the other way round: how big endian stores samples of one byte in OW.
void swap_pairs(std::string& bytes)
{
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        std::swap(bytes[i], bytes[i + 1]);
    }
}

} // namespace

std::vector<Box> clipped(const std::vector<Box>& boxes, std::uint32_t columns, std::uint32_t rows)
{
    std::vector<Box> inside;
    for (const Box& box : boxes) {
        if (box.x < columns && box.y < rows && box.width > 0 && box.height > 0) {
            inside.push_back(
                {box.x, box.y, std::min(box.width, columns - box.x), std::min(box.height, rows - box.y)});
        }
    }
    return inside;
}

std::vector<Stroke> strokes_of(const PixelFormat& format, const std::vector<Box>& boxes)
{
    const bool pairs = format.is_422() && !format.by_plane;
    const auto pixel = format.by_plane ? format.sample_bytes()
                       : pairs         ? 2 * format.sample_bytes()
                                       : format.samples * format.sample_bytes();
    std::vector<Stroke> lines;
    for (const Box& box : boxes) {
        // Of pixels that share their colour, both go.
        const auto from = pairs ? box.x & ~1U : box.x;
        const auto to = std::min(pairs ? (box.x + box.width + 1) & ~1U : box.x + box.width, format.columns);
        for (auto y = box.y; y < box.y + box.height; ++y) {
            lines.push_back({(std::size_t{y} * format.columns + from) * pixel, (to - from) * pixel, 0});
        }
    }
    std::sort(
        lines.begin(), lines.end(), [](const Stroke& a, const Stroke& b) { return a.offset < b.offset; });
    std::vector<Stroke> joined;
    for (const Stroke& line : lines) {
        if (!joined.empty() && line.offset <= joined.back().offset + joined.back().length) {
            auto& last = joined.back();
            last.length = std::max(last.length, line.offset + line.length - last.offset);
        } else {
            joined.push_back(line);
        }
    }
    if (!format.by_plane) {
        return joined;
    }
    const auto plane_bytes = std::size_t{format.rows} * format.columns * format.sample_bytes();
    std::vector<Stroke> planes;
    for (unsigned plane = 0; plane < format.samples; ++plane) {
        for (const Stroke& stroke : joined) {
            planes.push_back({stroke.offset + plane * plane_bytes, stroke.length, plane});
        }
    }
    return planes;
}

std::string black_bytes(const PixelFormat& format, unsigned plane, std::size_t length, bool big_endian)
{
    const auto pixel = black_pixel(format, plane, big_endian);
    std::string bytes;
    bytes.reserve(length + pixel.size());
    while (bytes.size() < length) {
        bytes += pixel;
    }
    bytes.resize(length);
    return bytes;
}

void paint_frame(std::string& frame, const PixelFormat& format, const std::vector<Box>& boxes)
{
    for (const Stroke& stroke : strokes_of(format, boxes)) {
        if (stroke.offset < frame.size()) {
            const auto length = std::min(stroke.length, frame.size() - stroke.offset);
            frame.replace(stroke.offset, length, black_bytes(format, stroke.plane, length, false));
        }
    }
}

void clear_bits(std::string& pixels, const PixelFormat& format, std::uint32_t bits, bool big_endian)
{
    const auto size = format.sample_bytes();
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const auto place = big_endian ? size - 1 - i % size : i % size;
        pixels[i] = static_cast<char>(static_cast<unsigned char>(pixels[i]) & ~(bits >> 8 * place) & 0xffU);
    }
}

Rope painted(
    std::string_view value, const PixelFormat& format, const std::vector<Box>& boxes, bool big_endian)
{
    Rope rope;
    const auto frame_bytes = format.frame_bytes();
    if (big_endian && format.bits_allocated == 8) {
        std::string all{value};
        swap_pairs(all);
        for (std::size_t start = 0; start < all.size(); start += frame_bytes) {
            auto frame = all.substr(start, frame_bytes);
            paint_frame(frame, format, boxes);
            all.replace(start, frame.size(), frame);
        }
        swap_pairs(all);
        rope.own(std::move(all));
        return rope;
    }
    const auto strokes = strokes_of(format, boxes);
    std::vector<std::string_view> black;
    for (unsigned plane = 0; plane < format.samples; ++plane) {
        std::size_t longest = 0;
        for (const Stroke& stroke : strokes) {
            longest = std::max(longest, stroke.plane == plane ? stroke.length : 0);
        }
        black.push_back(rope.keep(black_bytes(format, plane, longest, big_endian)));
    }
    std::size_t position = 0;
    for (std::size_t start = 0; start < value.size(); start += frame_bytes) {
        for (const Stroke& stroke : strokes) {
            const auto offset = start + stroke.offset;
            if (offset >= value.size()) {
                break;
            }
            rope.borrow(value.substr(position, offset - position));
            const auto length = std::min(stroke.length, value.size() - offset);
            rope.borrow(black[stroke.plane].substr(0, length));
            position = offset + length;
        }
    }
    rope.borrow(value.substr(position));
    return rope;
}

} // namespace dcmpipe::deid
