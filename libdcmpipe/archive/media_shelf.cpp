#include "archive/media_shelf.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace dcmpipe::archive {

std::string_view MediaShelf::keep(std::string_view text)
{
    auto* const copy = static_cast<char*>(texts_.allocate(text.size() + 1, 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

void MediaShelf::add(const MediaItem& item, const std::optional<std::string>& keys)
{
    const std::string_view source = item.source.native();
    const auto name = source.find_last_of('/') + 1; // 0 where there is none
    const auto& common =
        *commons_
             .insert(
                 {std::string{source.substr(0, name)}, item.type, item.patient, item.study_uid,
                  item.series_uid, item.sop_class_uid, item.transfer_syntax, item.is_part10})
             .first;
    const auto& packed = packed_.emplace_back(Packed{
        &common, keep(source.substr(name)), keep(item.instance_uid), keep(item.file_id),
        keep(keys.value_or("")), keys.has_value(), item.number, item.state});
    by_uid_.emplace(packed.instance_uid, packed_.size() - 1);
}

MediaItem MediaShelf::item(std::size_t number) const
{
    const auto& packed = packed_[number];
    const auto& common = *packed.common;
    MediaItem item;
    item.source = common.folder + std::string{packed.name};
    item.type = common.type;
    item.patient = common.patient;
    item.study_uid = common.study_uid;
    item.series_uid = common.series_uid;
    item.instance_uid = packed.instance_uid;
    item.sop_class_uid = common.sop_class_uid;
    item.transfer_syntax = common.transfer_syntax;
    item.number = packed.number;
    if (packed.has_keys) {
        item.keys = packed.keys;
    }
    item.is_part10 = common.is_part10;
    item.state = packed.state;
    item.file_id = packed.file_id;
    return item;
}

void MediaShelf::set_file_id(std::size_t number, std::string_view file_id)
{
    packed_[number].file_id = keep(file_id);
}

std::optional<std::size_t> MediaShelf::find(std::string_view instance_uid) const
{
    const auto found = by_uid_.find(instance_uid);
    return found == by_uid_.end() ? std::nullopt : std::optional{found->second};
}

bool MediaShelf::goes_before(const Packed& a, const Packed& b)
{
    const auto kind = [](const Packed& one) {
        const auto& type = *one.common->type;
        return std::tuple{type.is_root, type.is_root ? type.prefix : std::string_view{}};
    };
    const auto place = [](const Packed& one) {
        return std::tie(one.common->patient, one.common->study_uid, one.common->series_uid);
    };
    if (a.common != b.common) {
        if (kind(a) != kind(b)) {
            return kind(a) < kind(b);
        }
        if (place(a) != place(b)) {
            return place(a) < place(b);
        }
    }
    return std::tie(a.number, a.instance_uid) < std::tie(b.number, b.instance_uid);
}

void MediaShelf::sort()
{
    by_uid_ = {};
    std::sort(packed_.begin(), packed_.end(), goes_before);
}

} // namespace dcmpipe::archive
