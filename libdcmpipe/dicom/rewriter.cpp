#include "dicom/rewriter.hpp"

#include "core/error.hpp"
#include "dicom/encode.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace dcmpipe::dicom {

Rewriter::Patch& Rewriter::patch(
    std::uint32_t parent, Tag tag, std::uint64_t offset, std::uint64_t removed, std::uint64_t added)
{
    if (growths_.empty()) { // of what is changed at all, much is
        growths_.reserve(index_.size());
        patches_.reserve(index_.size());
    }
    growths_.push_back(
        {parent, tag.group(), static_cast<std::int64_t>(added) - static_cast<std::int64_t>(removed)});
    const auto depth = parent == ElementIndex::None ? 0 : index_[parent].depth + 1;
    return patches_.emplace_back(Patch{offset, removed, static_cast<std::uint16_t>(depth), tag});
}

void Rewriter::replace(std::uint32_t element, std::string_view value)
{
    const Element& old = index_[element];
    replace_raw(element, encode_element(old.tag, old.vr, value, old.encoding));
}

void Rewriter::replace_raw(std::uint32_t element, std::string encoded)
{
    const Element& old = index_[element];
    const auto added = result_.keep(std::move(encoded));
    patch(old.parent, old.tag, old.offset, old.end_offset() - old.offset, added.size()).added = added;
}

void Rewriter::replace_raw(std::uint32_t element, Rope encoded)
{
    const Element& old = index_[element];
    Rope& added = long_added_.emplace_back(std::move(encoded));
    patch(old.parent, old.tag, old.offset, old.end_offset() - old.offset, added.size()).long_added = &added;
}

void Rewriter::remove(std::uint32_t element)
{
    const Element& old = index_[element];
    patch(old.parent, old.tag, old.offset, old.end_offset() - old.offset, 0);
}

void Rewriter::insert(std::uint32_t parent, Tag tag, Vr vr, std::string_view value)
{
    const auto encoding = parent == ElementIndex::None ? index_.encoding() : index_[parent].content;
    insert_raw(parent, tag, encode_element(tag, vr, value, encoding));
}

void Rewriter::insert_raw(std::uint32_t parent, Tag tag, std::string encoded)
{
    auto offset = parent == ElementIndex::None ? 0 : index_[parent].value_offset();
    const auto end = index_.end_of(parent);
    for (auto i = index_.first_child(parent); i < end && index_[i].tag < tag; i = index_[i].end) {
        offset = index_[i].end_offset();
    }
    const auto added = result_.keep(std::move(encoded));
    patch(parent, tag, offset, 0, added.size()).added = added;
}

void Rewriter::remove_trailing()
{
    const auto end = index_.end_offset();
    if (end < index_.bytes().size()) {
        patches_.push_back({end, index_.bytes().size() - end, 0, Tag{0xffffffffU}});
    }
}

void Rewriter::set_number(std::uint64_t offset, std::uint64_t value, bool big_endian)
{
    if (value >= 0xffffffffU) {
        throw Error{ErrorKind::Input, "a sequence would grow past 4 GiB"};
    }
    patches_.push_back(
        {offset, 4, 0, {}, result_.keep(encode_u32(static_cast<std::uint32_t>(value), big_endian))});
}

/// Every item and sequence around a patch grows with it; those of defined length say so in their header.
void Rewriter::grow_containers()
{
    std::map<std::uint32_t, std::int64_t> containers;
    for (const Growth& growth : growths_) {
        for (auto i = growth.parent; i != ElementIndex::None; i = index_[i].parent) {
            containers[i] += growth.bytes;
        }
    }
    for (const auto& [number, bytes] : containers) {
        const Element& container = index_[number];
        if (!container.undefined_length && bytes != 0) {
            set_number(
                container.value_offset() - 4, container.length + static_cast<std::uint64_t>(bytes),
                container.encoding.big_endian);
        }
    }
}

/// The bytes that a group length counts: of the elements of its group behind it.
std::uint64_t Rewriter::size_of_group(std::uint32_t group_length) const
{
    const Element& length = index_[group_length];
    const auto end = index_.end_of(length.parent);
    auto last = length.end_offset();
    for (auto i = length.end; i < end && index_[i].tag.group() == length.tag.group(); i = index_[i].end) {
        last = index_[i].end_offset();
    }
    return last - length.end_offset();
}

/// So do the group lengths (PS3.5 §7.2) on the way up, where old files still have them. They are counted
/// anew: what stands there may be wrong.
void Rewriter::grow_groups()
{
    const auto elements = index_.elements();
    if (std::none_of(
            elements.begin(), elements.end(), [](const Element& e) { return e.tag.is_group_length(); })) {
        return;
    }
    std::map<std::uint32_t, std::int64_t> lengths;
    for (const Growth& growth : growths_) {
        auto group = growth.group;
        for (auto parent = growth.parent;; parent = index_[parent].parent) {
            lengths[index_.find(Tag{group, 0x0000}, parent)] += growth.bytes;
            if (parent == ElementIndex::None) {
                break;
            }
            group = index_[parent].tag.group();
        }
    }
    lengths.erase(ElementIndex::None);
    for (const auto& [number, bytes] : lengths) {
        const Element& length = index_[number];
        const bool patched = std::any_of(patches_.begin(), patches_.end(), [&](const Patch& p) {
            return p.offset == length.offset && p.removed > 0;
        });
        if (!patched && bytes != 0 && length.length == 4) {
            // Below zero where elements of the group stand apart from it: then there is nothing right to say.
            const auto size = static_cast<std::int64_t>(size_of_group(number)) + bytes;
            set_number(
                length.value_offset(), static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0)),
                length.encoding.big_endian);
        }
    }
}

Rope Rewriter::finish()
{
    grow_containers();
    grow_groups();
    // Where several begin at one byte: additions first, inner ones before outer ones, in the order of tags.
    const auto order = [](const Patch& p) { return std::tuple{p.offset, p.removed > 0, -p.depth, p.tag}; };
    const auto before = [&](const Patch& a, const Patch& b) { return order(a) < order(b); };
    // Who goes through a data set patches in order; what came after that is little.
    const auto late = std::is_sorted_until(patches_.begin(), patches_.end(), before);
    std::stable_sort(late, patches_.end(), before);
    std::inplace_merge(patches_.begin(), late, patches_.end(), before);
    const auto bytes = index_.bytes();
    std::uint64_t position = 0;
    for (const Patch& patch : patches_) {
        if (patch.offset < position) {
            throw Error{ErrorKind::Internal, fmt::format("two patches overlap at byte {}", patch.offset)};
        }
        result_.borrow(bytes.substr(position, patch.offset - position));
        result_.borrow(patch.added);
        if (patch.long_added != nullptr) {
            result_.append(std::move(*patch.long_added));
        }
        position = patch.offset + patch.removed;
    }
    result_.borrow(bytes.substr(position));
    return std::move(result_);
}

} // namespace dcmpipe::dicom
