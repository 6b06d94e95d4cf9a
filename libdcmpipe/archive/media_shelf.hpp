#pragma once

#include "archive/media_item.hpp"

#include <compare>
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace dcmpipe::archive {

/// The items of a media copy, packed: a few hundred bytes each beside their keys, for there may be millions.
/// Not for sharing between threads but item(), which any number may call while nothing else is called.
class MediaShelf {
public:
    std::size_t size() const noexcept { return packed_.size(); }

    /// Takes the item; `keys` are those of its record. Its number is the size before.
    void add(const MediaItem& item, const std::optional<std::string>& keys);

    /// The item of that number. Its keys stand here, for as long as this does.
    MediaItem item(std::size_t number) const;

    std::string_view file_id(std::size_t number) const { return packed_[number].file_id; }
    void set_file_id(std::size_t number, std::string_view file_id);

    /// The number of the item with this SOP Instance UID. Not after sort().
    std::optional<std::size_t> find(std::string_view instance_uid) const;

    /// Numbers the items by patient, study, series, Instance Number and UID; what belongs to no patient comes
    /// last.
    void sort();

private:
    /// What many items have in common.
    struct Common {
        std::string folder; ///< of the source, with the slash
        const RecordType* type;
        std::string patient, study_uid, series_uid, sop_class_uid, transfer_syntax;
        bool is_part10;

        auto operator<=>(const Common&) const = default;
    };
    struct Packed {
        const Common* common;
        std::string_view name; ///< of the source in its folder
        std::string_view instance_uid;
        std::string_view file_id;
        std::string_view keys;
        bool has_keys;
        long number;
        FileState state;
    };

    static bool goes_before(const Packed& a, const Packed& b);
    std::string_view keep(std::string_view text);

    std::pmr::monotonic_buffer_resource texts_;
    std::set<Common> commons_;
    std::deque<Packed> packed_;
    std::unordered_map<std::string_view, std::size_t> by_uid_;
};

} // namespace dcmpipe::archive
