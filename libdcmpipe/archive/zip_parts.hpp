#pragma once

#include "archive/folder_files.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dcmpipe::archive {

/// A file of a study, and the series that it belongs to: empty for what is no instance.
struct SeriesFile {
    FolderFile file;
    std::string series_uid;
};

/// The files in parts of `most` bytes (0: no limit), whole series each, in the order of the series' first
/// files; a larger series stands alone. Files of no series come with the first part. Each part keeps the
/// order of `files`, so that the parts follow from names, sizes and series alone.
std::vector<std::vector<FolderFile>> split_by_series(std::span<const SeriesFile> files, std::uint64_t most);

} // namespace dcmpipe::archive
