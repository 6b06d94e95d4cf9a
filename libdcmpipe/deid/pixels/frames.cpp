#include "deid/pixels/frames.hpp"

#include "core/error.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"

#include <algorithm>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::Element;
using dicom::ElementIndex;

namespace {

/// The items of encapsulated pixel data: the basic offset table, then the fragments.
struct Items {
    std::vector<std::uint64_t> table;   ///< offsets of the frames; empty where there are none
    std::vector<std::uint64_t> offsets; ///< of the fragments' items, from the first one
    Fragments fragments;
};

std::vector<std::uint64_t> numbers_of(std::string_view bytes, std::size_t size)
{
    std::vector<std::uint64_t> numbers;
    for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
        const std::uint64_t low = dicom::read_u32(bytes, at, false);
        numbers.push_back(
            size == 8 ? low | std::uint64_t{dicom::read_u32(bytes, at + 4, false)} << 32U : low);
    }
    return numbers;
}

std::string_view value_of(const ElementIndex& data_set, dicom::Tag tag)
{
    const auto at = data_set.find(tag);
    return at == ElementIndex::None ? std::string_view{} : data_set.value(data_set[at]);
}

Items items_of(const ElementIndex& data_set, std::uint32_t pixel_data)
{
    Items items;
    const auto first = data_set.first_child(pixel_data);
    if (first == ElementIndex::None) {
        return items;
    }
    items.table = numbers_of(data_set.value(data_set[first]), 4);
    if (items.table.empty()) {
        items.table = numbers_of(value_of(data_set, tags::ExtendedOffsetTable), 8);
    }
    const auto start = data_set[first].end_offset();
    for (auto i = data_set[first].end; i < data_set.end_of(pixel_data); i = data_set[i].end) {
        items.offsets.push_back(data_set[i].offset - start);
        items.fragments.push_back(data_set.value(data_set[i]));
    }
    return items;
}

/// Fragments from one offset to the next; none where an offset hits no fragment.
std::vector<Fragments> by_table(const Items& items)
{
    std::vector<Fragments> frames;
    for (std::size_t i = 0; i < items.fragments.size(); ++i) {
        if (frames.size() < items.table.size() && items.offsets[i] == items.table[frames.size()]) {
            frames.emplace_back();
        }
        if (frames.empty()) {
            return {};
        }
        frames.back().push_back(items.fragments[i]);
    }
    return frames.size() == items.table.size() ? frames : std::vector<Fragments>{};
}

/// Ends with a JPEG's EOI, and perhaps the byte that makes its length even.
bool ends_image(std::string_view fragment)
{
    constexpr std::string_view end_of_image{"\xff\xd9"};
    if (fragment.ends_with('\0')) {
        fragment.remove_suffix(1);
    }
    return fragment.ends_with(end_of_image);
}

std::vector<Fragments> by_end_marker(const Items& items)
{
    std::vector<Fragments> frames;
    bool open = false;
    for (const auto fragment : items.fragments) {
        if (!open) {
            frames.emplace_back();
        }
        frames.back().push_back(fragment);
        open = !ends_image(fragment);
    }
    return open ? std::vector<Fragments>{} : frames;
}

std::string encode_u64(std::uint64_t value)
{
    return dicom::encode_u32(static_cast<std::uint32_t>(value)) +
           dicom::encode_u32(static_cast<std::uint32_t>(value >> 32U));
}

} // namespace

std::vector<Fragments> frames_of(const ElementIndex& data_set, std::uint32_t pixel_data, std::uint32_t frames)
{
    const auto items = items_of(data_set, pixel_data);
    if (frames == 1 && !items.fragments.empty()) {
        return {items.fragments};
    }
    if (items.table.size() == frames) {
        if (auto found = by_table(items); !found.empty()) {
            return found;
        }
    }
    if (items.fragments.size() == frames) {
        std::vector<Fragments> found;
        for (const auto fragment : items.fragments) {
            found.push_back({fragment});
        }
        return found;
    }
    auto found = by_end_marker(items);
    if (found.size() != frames) {
        throw Error{ErrorKind::Refused, "its fragments cannot be told apart by frames"};
    }
    return found;
}

void replace_frames(
    dicom::Rewriter& rewriter, const ElementIndex& data_set, std::uint32_t pixel_data,
    std::vector<std::string> frames)
{
    const Element& element = data_set[pixel_data];
    const Element& table = data_set[data_set.first_child(pixel_data)];
    constexpr std::size_t item_header = 8;
    std::string basic;
    std::string extended;
    std::string lengths;
    std::uint64_t offset = 0;
    for (const auto& frame : frames) {
        basic += dicom::encode_u32(static_cast<std::uint32_t>(offset));
        extended += encode_u64(offset);
        lengths += encode_u64(frame.size());
        offset += item_header + frame.size() + frame.size() % 2;
    }
    if (table.length == 0 || offset > 0xffffffffU) {
        basic.clear();
    }
    Rope rope;
    rope.borrow(data_set.raw(element).substr(0, element.header_size));
    rope.own(dicom::encode_header(tags::Item, vr::None, basic.size(), element.content) + basic);
    for (auto& frame : frames) {
        frame.append(frame.size() % 2, '\0');
        rope.own(dicom::encode_header(tags::Item, vr::None, frame.size(), element.content));
        rope.own(std::move(frame));
    }
    rope.own(dicom::encode_header(tags::SequenceDelimitationItem, vr::None, 0, element.content));
    rewriter.replace_raw(pixel_data, std::move(rope));
    const auto replace = [&](dicom::Tag tag, const std::string& value) {
        if (const auto at = data_set.find(tag); at != ElementIndex::None) {
            rewriter.replace(at, value);
        }
    };
    replace(tags::ExtendedOffsetTable, extended);
    replace(tags::ExtendedOffsetTableLengths, lengths);
}

} // namespace dcmpipe::deid
