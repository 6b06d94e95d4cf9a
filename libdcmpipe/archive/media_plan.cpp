#include "archive/media_plan.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace {

constexpr unsigned most = 1'000'000; ///< six digits

/// How many of the first levels of a File ID two items share: 0 none, 1 the patient, 2 the study, 3 the
/// series.
unsigned shared_levels(const MediaItem& a, const MediaItem& b)
{
    if (a.patient != b.patient) {
        return 0;
    }
    if (a.study_uid != b.study_uid) {
        return 1;
    }
    return a.series_uid != b.series_uid ? 2 : 3;
}

} // namespace

void assign_file_ids(std::vector<MediaItem>& items)
{
    const auto key = [](const MediaItem& item) {
        return std::tie(
            item.patient, item.study_uid, item.series_uid, item.number, item.instance_uid, item.source);
    };
    std::sort(items.begin(), items.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });

    std::array<unsigned, 4> place{};
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) {
            const auto first_new = shared_levels(items[i - 1], items[i]);
            ++place[first_new];
            std::fill(place.begin() + first_new + 1, place.end(), 0U);
            if (place[first_new] >= most) {
                throw Error{ErrorKind::Input, "cannot name the files: more than a million on one level"};
            }
        }
        items[i].file_id =
            fmt::format("PT{:06}/ST{:06}/SE{:06}/IM{:06}", place[0], place[1], place[2], place[3]);
    }
}

MediaCounts count(const std::vector<MediaItem>& items)
{
    MediaCounts counts;
    const std::array totals{&counts.patients, &counts.studies, &counts.series, &counts.instances};
    for (std::size_t i = 0; i < items.size(); ++i) {
        for (auto level = i == 0 ? 0 : shared_levels(items[i - 1], items[i]); level < totals.size();
             ++level) {
            ++*totals[level];
        }
    }
    return counts;
}

std::string directory_uid(const std::vector<MediaItem>& items)
{
    Sha256 digest;
    for (const auto& item : items) {
        digest.add(fmt::format("{} {} {}\n", item.file_id, item.instance_uid, item.header));
    }
    const auto hex = digest.hex();
    std::array<std::uint8_t, 16> uuid{};
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, uuid[i], 16);
    }
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0fU) | 0x80U); // RFC 9562 §5.8: version 8
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3fU) | 0x80U);
    return dicom::uid::from_uuid(uuid);
}

} // namespace dcmpipe::archive
