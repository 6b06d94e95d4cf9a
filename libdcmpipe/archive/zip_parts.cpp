#include "archive/zip_parts.hpp"

#include <map>

namespace dcmpipe::archive {

std::vector<std::vector<FolderFile>> split_by_series(std::span<const SeriesFile> files, std::uint64_t most)
{
    std::vector<std::string> series{{}}; // that of the files of no series comes first
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& [file, uid] : files) {
        if (!uid.empty() && !bytes.contains(uid)) {
            series.push_back(uid);
        }
        bytes[uid] += file.size;
    }
    std::map<std::string, std::size_t> part_of;
    std::size_t part = 0;
    std::size_t series_in_part = 0;
    std::uint64_t held = 0;
    for (const auto& uid : series) {
        if (most > 0 && series_in_part > 0 && held + bytes[uid] > most) {
            ++part;
            series_in_part = 0;
            held = 0;
        }
        part_of[uid] = part;
        held += bytes[uid];
        series_in_part += uid.empty() ? 0 : 1;
    }
    std::vector<std::vector<FolderFile>> parts(part + 1);
    for (const auto& [file, uid] : files) {
        parts[part_of[uid]].push_back(file);
    }
    return parts;
}

} // namespace dcmpipe::archive
