#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe {

/// A table out of a CSV file, all cells as text in UTF-8, without spaces around them.
struct Table {
    struct Row {
        std::size_t number =
            0; ///< as a spreadsheet counts them: the header is 1, a line break in a cell is none
        std::vector<std::string> cells;
    };
    std::vector<std::string> header;
    std::vector<Row> rows; ///< blank ones are left out
};

/// Reads CSV (RFC 4180) as spreadsheets write it: with a byte order mark or without, separated by commas,
/// semicolons or tabs (the header shows which), in UTF-8 or else Latin-1.
/// Throws Error{Usage}: unreadable, no header, a quote that does not end.
Table read_csv(const std::filesystem::path& path);
Table parse_csv(std::string_view text, std::string_view name);

/// One line of CSV with its end (CRLF, as RFC 4180 has it); cells are quoted where they must be.
std::string csv_line(const std::vector<std::string>& cells);

} // namespace dcmpipe
