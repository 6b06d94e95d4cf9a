#pragma once

#include "deid/option.hpp"
#include "dicom/tag.hpp"

#include <span>
#include <string_view>

/// PS3.15 Table E.1-1 as data. Derived from DICOM PS3.15, © NEMA.
namespace dcmpipe::deid {

/// The edition the table was made from; goes into --version, reports and (0012,0063).
inline constexpr std::string_view table_edition = "2025b";

/// Column `Basic Prof.` of the table. Several letters leave the choice to the type that the attribute has in
/// the instance's IOD (PS3.15 §E.3.1).
enum class TableAction { D, Z, X, K, C, U, XZ, XD, ZD, XZD, XZU };

struct TableRow {
    dicom::Tag tag;
    std::uint32_t mask; ///< bits that a tag must share; all ones but for (50xx,xxxx) and (60xx,eeee)
    TableAction basic;
    std::string_view options; ///< one letter a column: K, C, or - where the option says nothing
    std::string_view name;

    char option(Option column) const { return options[static_cast<std::size_t>(column)]; }
};

/// All rows, ordered by tag.
std::span<const TableRow> table() noexcept;

/// The row of a public attribute; null where the table has none.
const TableRow* find_row(dicom::Tag tag) noexcept;

} // namespace dcmpipe::deid
