#pragma once

#include "dicom/tag.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/vr.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::dicom {

/// What a data set may claim before it is refused. The defaults admit every real file we know; nothing is
/// ever allocated by a length that was only read.
struct Limits {
    std::uint32_t depth = 64;             ///< items around an element
    std::uint32_t elements = 4'000'000;   ///< elements, items and fragments together
    std::uint64_t inflated = 4ULL << 30U; ///< bytes of a deflated data set
    std::uint32_t padding = 16U << 20U;   ///< zero bytes after the last element
};

/// One element, item or pixel data fragment, where it stands in the bytes.
///
/// Containers (sequences, items, encapsulated pixel data) precede their content; `end` jumps over it.
struct Element {
    std::uint64_t offset = 0; ///< of the first byte of the header
    std::uint64_t length = 0; ///< bytes of the value; of a container, of its content without the delimiter
    Tag tag;
    std::uint32_t parent = 0; ///< index of the item or sequence around it; ElementIndex::None at top level
    std::uint32_t end = 0;    ///< index past its last descendant; the next sibling, if there is one
    Vr vr = vr::None;         ///< as written, or as the dictionary implies; None for items and fragments
    std::uint16_t depth = 0;  ///< items around it: 0 at top level
    std::uint8_t header_size = 0;  ///< bytes of the header: 8 or 12
    Encoding encoding;             ///< of its header and value; of a container's content: see `content`
    Encoding content;              ///< of the elements inside a container (CP-246: UN holds implicit VR)
    bool undefined_length = false; ///< closed by a delimiter of 8 bytes
    bool container = false;        ///< its value was walked: a sequence, an item, encapsulated pixel data
    bool fragments = false;        ///< a container of pixel data fragments (PS3.5 §A.4), not of items

    std::uint64_t value_offset() const { return offset + header_size; }
    /// Past the value and its delimiter.
    std::uint64_t end_offset() const { return value_offset() + length + (undefined_length ? 8U : 0U); }
    bool is_item() const { return tag == tags::Item; }
    bool is_sequence() const { return container && !fragments && !is_item(); }
};

/// Every element of a data set in the order of its bytes, found by one bounded, non-recursive walk.
///
/// The index borrows the bytes: they must outlive it. It is immutable and may be read from any thread.
/// Sequences are entered wherever they hide: in SQ, in UN of undefined length (PS3.5 §6.2.2, CP-246), in
/// UN or unknown implicit values that hold nothing but whole items.
class ElementIndex {
public:
    static constexpr std::uint32_t None = 0xffffffffU;

    ElementIndex() = default;

    /// Walks all of `bytes`. Throws Error{Input} with the offset and the reason: a length past the end, a
    /// missing delimiter, a limit passed, something that is no element.
    static ElementIndex walk(std::string_view bytes, Encoding encoding, const Limits& limits = {});

    /// As walk(), but stops before the first top-level element after `last`: for who needs the first few
    /// attributes only, and not the rest's soundness.
    static ElementIndex walk_until(
        Tag last, std::string_view bytes, Encoding encoding, const Limits& limits = {});

    std::span<const Element> elements() const noexcept { return elements_; }
    const Element& operator[](std::uint32_t index) const { return elements_[index]; }
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(elements_.size()); }
    std::string_view bytes() const noexcept { return bytes_; }
    Encoding encoding() const noexcept { return encoding_; }

    /// Past the last byte that belongs to an element; zero bytes may follow it.
    std::uint64_t end_offset() const noexcept { return end_offset_; }

    std::string_view value(const Element& element) const
    {
        return bytes_.substr(element.value_offset(), element.length);
    }
    /// Header, value and delimiter.
    std::string_view raw(const Element& element) const
    {
        return bytes_.substr(element.offset, element.end_offset() - element.offset);
    }

    /// The index of the element with this tag at top level, or in the item `parent`; None where there is
    /// none.
    std::uint32_t find(Tag tag, std::uint32_t parent = None) const noexcept;

    /// The first child of `parent` (None: of the data set); None where it has none. Its siblings follow by
    /// `end`, up to the `end` of the parent.
    std::uint32_t first_child(std::uint32_t parent) const noexcept;
    /// Past the last child of `parent`.
    std::uint32_t end_of(std::uint32_t parent) const noexcept;

    /// The value as text without padding; empty where the element is absent or no text. Several values stay
    /// joined by backslashes, bytes stay in the data set's own character set.
    std::string_view text(Tag tag, std::uint32_t parent = None) const noexcept;

    /// The first value of a US element; `otherwise` where it is absent or too short.
    std::uint16_t unsigned_short(
        Tag tag, std::uint16_t otherwise, std::uint32_t parent = None) const noexcept;

private:
    friend class Walker;

    std::uint32_t find_top(Tag tag) const noexcept;

    struct Top {
        Tag tag;
        std::uint32_t element;
    };

    std::string_view bytes_;
    Encoding encoding_;
    std::vector<Element> elements_;
    std::vector<Top> top_;    ///< the elements at top level, again: most look-ups are for one of them
    bool top_ordered_ = true; ///< by tag, as PS3.5 §7.1 asks for
    std::uint64_t end_offset_ = 0;
};

/// Reads an unsigned number of 2 or 4 bytes.
std::uint16_t read_u16(std::string_view bytes, std::uint64_t offset, bool big_endian) noexcept;
std::uint32_t read_u32(std::string_view bytes, std::uint64_t offset, bool big_endian) noexcept;

} // namespace dcmpipe::dicom
