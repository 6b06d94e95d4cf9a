#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::watch {

/// Where a tree's watchers keep their state; never taken for a part of a study.
inline constexpr std::string_view state_folder = ".dpipe-watch";

/// What a study folder looks like at one moment.
struct Snapshot {
    std::uint64_t files = 0; ///< that are not hidden
    std::uint64_t bytes = 0; ///< of these
    std::string
        content; ///< digest of their names, sizes and times of modification: another revision, another digest
    std::string activity; ///< digest of all that shows that somebody works here: hidden files, folders,
                          ///< changes of status
    double newest =
        0; ///< when anything in it changed last, by the file system's clock, in seconds since 1970
};

/// Looks at a folder and all below it; links to folders are not followed. Nothing where it is gone. What
/// vanishes while we look counts as not there. Throws Error{Input} where a folder cannot be read: then
/// nobody can say whether the study is complete.
std::optional<Snapshot> look_at(const std::filesystem::path& folder);

/// The study folders of a tree, relative to it, in the order of their names: those with a marker
/// (dicom::study_marker) or, where `depth` is given, all folders so many levels down. Hidden folders are
/// passed over and links are not followed. Folders that cannot be read go into `unreadable`.
std::vector<std::filesystem::path> find_studies(
    const std::filesystem::path& tree, std::optional<unsigned> depth, std::vector<Error>& unreadable);

} // namespace dcmpipe::watch
