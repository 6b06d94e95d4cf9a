#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dcmpipe::archive {

/// An instance that goes onto media, by what places it there.
struct MediaItem {
    std::filesystem::path source;
    std::string patient; ///< Patient ID or, where there is none, the name
    std::string study_uid;
    std::string series_uid;
    std::string instance_uid;
    long number = 0;     ///< Instance Number
    std::string header;  ///< digest of all before the pixels
    std::string file_id; ///< `PT000000/ST000000/SE000000/IM000000`; by assign_file_ids()
};

struct MediaCounts {
    std::uint64_t patients = 0;
    std::uint64_t studies = 0;
    std::uint64_t series = 0;
    std::uint64_t instances = 0;
};

/// Orders the items by patient, study, series, Instance Number and UID, and names each by its place in that
/// order, counted from 0 at every level: File IDs of four components, each of eight characters out of A-Z and
/// 0-9 (PS3.10 §8.2, §8.5). The order of the items given does not matter.
///
/// Throws Error{Input} where a level has more than a million of the next one.
void assign_file_ids(std::vector<MediaItem>& items);

/// Counts items in the order of assign_file_ids().
MediaCounts count(const std::vector<MediaItem>& items);

/// A UID (PS3.5 §B.2) for the directory of these items: another one where a file, its place or its header is
/// another.
std::string directory_uid(const std::vector<MediaItem>& items);

} // namespace dcmpipe::archive
