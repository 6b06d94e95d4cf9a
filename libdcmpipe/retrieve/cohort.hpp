#pragma once

#include "core/csv.hpp"
#include "dicom/tag.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace dcmpipe::retrieve {

/// An attribute and what it shall fit.
struct Criterion {
    dicom::Tag tag;
    std::string key; ///< UTF-8
};

/// One query of a cohort: all of its criteria must hold. Never without a criterion.
struct Row {
    std::size_t number = 0; ///< in the file, the header being 1
    std::vector<Criterion> criteria{};
    std::string new_id{}; ///< the code that PACSIFIER's column `new_ids` gives the patient
};

/// How a name in a cohort is asked for.
enum class NameMode {
    AsGiven,
    Pacsifier, ///< its last word, in capitals, after anything (row PF-12)
};

/// Reads a cohort: a CSV whose columns are attributes and whose rows are queries; an empty cell is no
/// criterion. The columns are PACSIFIER's, `new_ids` among them, or, with `any_key`, any keyword of PS3.6.
///
/// Throws Error{Usage} with every problem of the file, by row and column and without values, a line each.
std::vector<Row> read_cohort(
    const std::filesystem::path& path, bool any_key, NameMode names = NameMode::AsGiven);
std::vector<Row> cohort_from(
    const Table& table, std::string_view name, bool any_key, NameMode names = NameMode::AsGiven);

/// Reads a list of Study Instance UIDs, a line each, as a cohort of studies. Throws Error{Usage} as
/// read_cohort().
std::vector<Row> read_studies(const std::filesystem::path& path);

} // namespace dcmpipe::retrieve
