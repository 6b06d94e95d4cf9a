#pragma once

#include "dicom/tag.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dcmpipe::pseudonym {

/// Encoded elements by their tags, one after the other in one block of memory: hundreds are taken from each
/// instance, most of them a few bytes long. Views that it gives hold until it changes.
class TakenElements {
    struct Piece {
        dicom::Tag tag;
        std::size_t offset;
        std::size_t size;
    };

public:
    using Value = std::pair<dicom::Tag, std::string_view>;

    /// Goes through the elements in the order of their tags.
    class Iterator {
    public:
        Iterator(const TakenElements& all, std::size_t at) : all_(&all), at_(at) {}
        Value operator*() const { return all_->value(all_->pieces_[at_]); }
        Iterator& operator++()
        {
            ++at_;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return at_ != other.at_; }

    private:
        const TakenElements* all_;
        std::size_t at_;
    };

    TakenElements() = default;
    TakenElements(const std::map<dicom::Tag, std::string>& elements) // NOLINT: the same in another form
    {
        for (const auto& [tag, element] : elements) {
            add(tag, element);
        }
    }

    /// Adds an element; one with this tag stays as it is. Cheap where tags come in order.
    void add(dicom::Tag tag, std::string_view element)
    {
        auto place = pieces_.end();
        if (!pieces_.empty() && !(pieces_.back().tag < tag)) {
            place = lower_bound(tag);
            if (place != pieces_.end() && place->tag == tag) {
                return;
            }
        }
        pieces_.insert(place, {tag, bytes_.size(), element.size()});
        bytes_ += element;
    }

    /// All of them, in the order in which they were added.
    std::string_view bytes() const { return bytes_; }

    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, pieces_.size()}; }

    std::map<dicom::Tag, std::string> map() const
    {
        std::map<dicom::Tag, std::string> all;
        for (const auto& [tag, element] : *this) {
            all.emplace_hint(all.end(), tag, element);
        }
        return all;
    }

private:
    Value value(const Piece& piece) const
    {
        return {piece.tag, std::string_view{bytes_}.substr(piece.offset, piece.size)};
    }
    std::vector<Piece>::iterator lower_bound(dicom::Tag tag)
    {
        return std::lower_bound(
            pieces_.begin(), pieces_.end(), tag,
            [](const Piece& piece, dicom::Tag wanted) { return piece.tag < wanted; });
    }

    std::string bytes_;
    std::vector<Piece> pieces_; ///< ordered by tag
};

} // namespace dcmpipe::pseudonym
