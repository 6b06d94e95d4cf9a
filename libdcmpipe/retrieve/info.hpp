#pragma once

#include "retrieve/found.hpp"

#include <filesystem>
#include <string>

/// Series as tables, with the columns of PACSIFIER's info files and their number of instances.
namespace dcmpipe::retrieve {

/// With the columns of an instance, or without.
std::string info_header(bool by_image = false);
std::string info_line(const FoundSeries& series, const FoundInstance* instance = nullptr);

/// Writes the info file of a series: `FOLDER.csv`, beside its folder, with a header and a line for each
/// series of that folder. Throws Error{Output}.
void write_info(const FoundSeries& series, const std::filesystem::path& series_folder);

} // namespace dcmpipe::retrieve
