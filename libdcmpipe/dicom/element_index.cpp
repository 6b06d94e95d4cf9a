#include "dicom/element_index.hpp"

#include "core/error.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/uid.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::dicom {

namespace {

constexpr std::uint32_t undefined = 0xffffffffU;

constexpr std::uint8_t byte_at(std::string_view bytes, std::uint64_t offset)
{
    return static_cast<std::uint8_t>(bytes[offset]);
}

constexpr bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/// VRs whose undefined length means encapsulated fragments, not items (PS3.5 §A.4).
constexpr bool may_hold_fragments(Vr vr)
{
    return vr == vr::OB || vr == vr::OW || vr == vr::OD || vr == vr::OF || vr == vr::OL || vr == vr::OV;
}

} // namespace

std::uint16_t read_u16(std::string_view bytes, std::uint64_t offset, bool big_endian) noexcept
{
    const unsigned first = byte_at(bytes, offset);
    const unsigned second = byte_at(bytes, offset + 1);
    return static_cast<std::uint16_t>(big_endian ? first << 8U | second : second << 8U | first);
}

std::uint32_t read_u32(std::string_view bytes, std::uint64_t offset, bool big_endian) noexcept
{
    const std::uint32_t first = read_u16(bytes, offset, big_endian);
    const std::uint32_t second = read_u16(bytes, offset + 2, big_endian);
    return big_endian ? first << 16U | second : second << 16U | first;
}

/// The walk itself: a loop over a stack of open containers. Nothing recurses, so nesting costs heap, not
/// stack; every read is preceded by a comparison with the end of the innermost container.
class Walker {
public:
    Walker(std::string_view bytes, Encoding encoding, const Limits& limits, Tag last)
        : bytes_(bytes), limits_(limits), last_(last)
    {
        index_.bytes_ = bytes;
        index_.encoding_ = encoding;
        const auto guess = std::min<std::size_t>(bytes.size() / 32 + 8, 512);
        index_.elements_.reserve(guess);
        index_.top_.reserve(guess / 2);
        open_.push_back({.end = bytes.size(), .encoding = encoding});
    }

    ElementIndex walk()
    {
        while (!done_) {
            if (!step() && !give_up_guess()) {
                throw Error{ErrorKind::Input, fault_};
            }
        }
        index_.end_offset_ = position_;
        return std::move(index_);
    }

private:
    enum class Holds { Elements, Items, Fragments };

    struct Open {
        std::uint64_t end;                          ///< no byte of its content lies past it
        Encoding encoding;                          ///< of its content
        std::uint32_t element = ElementIndex::None; ///< the container; None for the data set
        Holds holds = Holds::Elements;
        bool guess = false; ///< nothing but its bytes says it is a sequence: on a fault it is a plain value
    };

    struct Header {
        Tag tag;
        Vr vr = vr::None;
        std::uint32_t length = 0;
        std::uint8_t size = 8;
    };

    bool fault(std::string_view reason)
    {
        fault_ = fmt::format("{} at byte {}", reason, position_);
        return false;
    }

    /// Unlike a fault it also ends a guess: what is well-formed as far as a limit is no chance, and must not
    /// hide as a plain value.
    [[noreturn]] void past_limit(std::string_view reason) const
    {
        throw Error{ErrorKind::Input, fmt::format("{} at byte {}", reason, position_)};
    }

    /// One element header, or the end of the innermost container; false on a fault.
    bool step()
    {
        Open& around = open_.back();
        if (position_ == around.end && !is_undefined(around)) {
            close();
            return true;
        }
        if (around.end - position_ < 8) {
            return at_top(around) ? trailing() : fault("truncated element header");
        }
        if (index_.elements_.size() >= limits_.elements) {
            past_limit(fmt::format("more than {} elements", limits_.elements));
        }
        Header header;
        header.tag =
            Tag{read_u16(bytes_, position_, around.encoding.big_endian),
                read_u16(bytes_, position_ + 2, around.encoding.big_endian)};
        if (header.tag.group() == 0xfffe) {
            header.length = read_u32(bytes_, position_ + 4, around.encoding.big_endian);
            return item_or_delimiter(around, header);
        }
        if (around.holds != Holds::Elements) {
            return fault(fmt::format("{} where an item should be", header.tag));
        }
        if (at_top(around) && header.tag > last_) {
            done_ = true;
            return true;
        }
        if (header.tag == Tag{} && at_top(around)) {
            return trailing();
        }
        return read_header(around, header) && element(around, header);
    }

    static bool at_top(const Open& around) { return around.element == ElementIndex::None; }

    bool is_undefined(const Open& around) const
    {
        return !at_top(around) && index_.elements_[around.element].undefined_length;
    }

    /// Zero bytes after the last element pad a file; anything else is cut short.
    bool trailing()
    {
        const auto rest = bytes_.substr(position_);
        if (rest.size() > limits_.padding) {
            past_limit(fmt::format("more than {} bytes after the last element", limits_.padding));
        }
        if (index_.elements_.empty() || rest.find_first_not_of('\0') != std::string_view::npos) {
            return fault("truncated element header");
        }
        done_ = true;
        return true;
    }

    bool read_header(const Open& around, Header& header)
    {
        if (!around.encoding.explicit_vr) {
            header.length = read_u32(bytes_, position_ + 4, around.encoding.big_endian);
            header.vr = dictionary::vr_of(header.tag);
            return true;
        }
        header.vr = make_vr(bytes_[position_ + 4], bytes_[position_ + 5]);
        if (has_short_length(header.vr)) {
            header.length = read_u16(bytes_, position_ + 6, around.encoding.big_endian);
            return true;
        }
        if (!is_capital(bytes_[position_ + 4]) || !is_capital(bytes_[position_ + 5])) {
            return fault(fmt::format("{} has no value representation", header.tag));
        }
        if (around.end - position_ < 12) {
            return fault("truncated element header");
        }
        header.size = 12;
        header.length = read_u32(bytes_, position_ + 8, around.encoding.big_endian);
        return true;
    }

    bool element(const Open& around, const Header& header)
    {
        const auto room = around.end - position_ - header.size;
        if (header.length == undefined) {
            return element_of_undefined_length(around, header);
        }
        if (header.length > room) {
            return fault(
                fmt::format("{} claims {} bytes where {} are left", header.tag, header.length, room));
        }
        const auto value = position_ + header.size;
        if (header.vr == vr::SQ) {
            open(around, header, Holds::Items, around.encoding, /*guess=*/false);
        } else if (header.vr == vr::UN && looks_like_items(value, header.length, around.encoding)) {
            open(around, header, Holds::Items, content_of_unknown(around, value), /*guess=*/true);
        } else {
            append(around, header);
            position_ = value + header.length;
        }
        check_depth();
        return true;
    }

    bool element_of_undefined_length(const Open& around, const Header& header)
    {
        const auto value = position_ + header.size;
        if (header.vr == vr::SQ) {
            open(around, header, Holds::Items, around.encoding, false);
        } else if (header.vr == vr::UN) {
            open(around, header, Holds::Items, content_of_unknown(around, value), false);
        } else if (may_hold_fragments(header.vr)) {
            open(around, header, Holds::Fragments, around.encoding, false);
        } else {
            return fault(fmt::format("{} of undefined length with VR {}", header.tag, to_string(header.vr)));
        }
        check_depth();
        return true;
    }

    bool item_or_delimiter(const Open& around, const Header& header)
    {
        if (header.tag == tags::Item && around.holds == Holds::Items) {
            return item(around, header);
        }
        if (header.tag == tags::Item && around.holds == Holds::Fragments) {
            return fragment(around, header);
        }
        const auto delimiter =
            around.holds == Holds::Elements ? tags::ItemDelimitationItem : tags::SequenceDelimitationItem;
        if (header.tag == delimiter && is_undefined(around)) {
            close();
            position_ += 8;
            return true;
        }
        return fault(fmt::format("{} where none should be", header.tag));
    }

    bool item(const Open& around, const Header& header)
    {
        const auto room = around.end - position_ - 8;
        if (header.length != undefined && header.length > room) {
            return fault(fmt::format("an item claims {} bytes where {} are left", header.length, room));
        }
        open(around, header, Holds::Elements, around.encoding, false);
        return true;
    }

    bool fragment(const Open& around, const Header& header)
    {
        const auto room = around.end - position_ - 8;
        if (header.length > room) {
            return fault(fmt::format("a fragment claims {} bytes where {} are left", header.length, room));
        }
        append(around, header);
        position_ += 8 + header.length;
        return true;
    }

    /// A value is taken for items only where it begins with one that fits into it.
    bool looks_like_items(std::uint64_t value, std::uint32_t length, Encoding encoding) const
    {
        for (const bool big_endian : {false, encoding.big_endian}) {
            if (length >= 8 && read_u16(bytes_, value, big_endian) == tags::Item.group() &&
                read_u16(bytes_, value + 2, big_endian) == tags::Item.element()) {
                const auto item = read_u32(bytes_, value + 4, big_endian);
                return item == undefined || item <= length - 8;
            }
        }
        return false;
    }

    /// PS3.5 §6.2.2 note 4 and CP-246: what stands in UN is implicit VR little endian. Some writers keep the
    /// explicit VR; the first element inside shows it.
    Encoding content_of_unknown(const Open& around, std::uint64_t value) const
    {
        if (!around.encoding.explicit_vr) {
            return around.encoding;
        }
        const auto inside = bytes_.substr(value, 16);
        const bool big_endian = inside.size() >= 2 && inside[0] == '\xff';
        const bool shows_vr = inside.size() >= 14 && is_standard(make_vr(inside[12], inside[13]));
        return {shows_vr, big_endian};
    }

    void check_depth() const
    {
        // Items are counted where their sequence opens: the walk stops one header earlier.
        if (depth_ >= limits_.depth && open_.back().holds == Holds::Items) {
            past_limit(fmt::format("sequences nested deeper than {}", limits_.depth));
        }
    }

    std::uint32_t append(const Open& around, const Header& header)
    {
        const auto number = index_.size();
        Element element;
        element.offset = position_;
        element.length = header.length;
        element.tag = header.tag;
        element.parent = around.element;
        element.end = number + 1;
        element.vr = header.vr;
        element.depth = static_cast<std::uint16_t>(depth_);
        element.header_size = header.size;
        element.encoding = around.encoding;
        element.content = around.encoding;
        index_.elements_.push_back(element);
        if (around.element == ElementIndex::None) {
            index_.top_ordered_ =
                index_.top_ordered_ && (index_.top_.empty() || index_.top_.back().tag < header.tag);
            index_.top_.push_back({header.tag, number});
        }
        return number;
    }

    /// `around` is no longer valid after it.
    void open(const Open& around, const Header& header, Holds holds, Encoding content, bool guess)
    {
        const auto number = append(around, header);
        Element& element = index_.elements_[number];
        element.container = true;
        element.fragments = holds == Holds::Fragments;
        element.content = content;
        element.undefined_length = header.length == undefined;
        position_ += header.size;
        const auto end = element.undefined_length ? around.end : position_ + header.length;
        if (holds == Holds::Elements) {
            ++depth_;
        }
        open_.push_back({end, content, number, holds, guess});
    }

    void close()
    {
        const Open closed = open_.back();
        if (at_top(closed)) {
            done_ = true;
            return;
        }
        open_.pop_back();
        Element& element = index_.elements_[closed.element];
        element.end = index_.size();
        element.length = position_ - element.value_offset();
        if (closed.holds == Holds::Elements) {
            --depth_;
        }
    }

    /// After a fault: the innermost container that was only guessed to be one becomes a plain value again.
    /// Its bytes are skipped, not walked a second time, so guesses cost no more than one walk in all.
    bool give_up_guess()
    {
        const auto guessed =
            std::find_if(open_.rbegin(), open_.rend(), [](const Open& o) { return o.guess; });
        if (guessed == open_.rend()) {
            return false;
        }
        const Open wrong = *guessed;
        open_.erase(guessed.base() - 1, open_.end());
        index_.elements_.resize(wrong.element + 1);
        Element& element = index_.elements_.back();
        element.container = false;
        element.content = element.encoding;
        depth_ = element.depth;
        position_ = wrong.end;
        return true;
    }

    std::string_view bytes_;
    Limits limits_;
    Tag last_;
    ElementIndex index_;
    std::vector<Open> open_;
    std::uint64_t position_ = 0;
    std::uint32_t depth_ = 0;
    bool done_ = false;
    std::string fault_;
};

ElementIndex ElementIndex::walk(std::string_view bytes, Encoding encoding, const Limits& limits)
{
    return walk_until(Tag{0xffffffffU}, bytes, encoding, limits);
}

ElementIndex ElementIndex::walk_until(
    Tag last, std::string_view bytes, Encoding encoding, const Limits& limits)
{
    return Walker{bytes, encoding, limits, last}.walk();
}

std::uint32_t ElementIndex::first_child(std::uint32_t parent) const noexcept
{
    const auto first = parent == None ? 0 : parent + 1;
    return first < end_of(parent) ? first : None;
}

std::uint32_t ElementIndex::end_of(std::uint32_t parent) const noexcept
{
    return parent == None ? size() : elements_[parent].end;
}

std::uint32_t ElementIndex::find(Tag tag, std::uint32_t parent) const noexcept
{
    if (parent == None) {
        return find_top(tag);
    }
    const auto end = end_of(parent);
    for (auto i = parent + 1; i < end; i = elements_[i].end) {
        if (elements_[i].tag == tag) {
            return i;
        }
    }
    return None;
}

std::uint32_t ElementIndex::find_top(Tag tag) const noexcept
{
    const auto found =
        top_ordered_
            ? std::lower_bound(top_.begin(), top_.end(), tag, [](Top top, Tag t) { return top.tag < t; })
            : std::find_if(top_.begin(), top_.end(), [&](Top top) { return top.tag == tag; });
    return found != top_.end() && found->tag == tag ? found->element : None;
}

std::string_view ElementIndex::text(Tag tag, std::uint32_t parent) const noexcept
{
    const auto found = find(tag, parent);
    if (found == None || elements_[found].container) {
        return {};
    }
    auto text = uid::trimmed(value(elements_[found]));
    const auto start = text.find_first_not_of(' ');
    return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

std::uint16_t ElementIndex::unsigned_short(
    Tag tag, std::uint16_t otherwise, std::uint32_t parent) const noexcept
{
    const auto found = find(tag, parent);
    if (found == None || elements_[found].length < 2) {
        return otherwise;
    }
    return read_u16(bytes_, elements_[found].value_offset(), elements_[found].encoding.big_endian);
}

} // namespace dcmpipe::dicom
