#include "retrieve/cohort.hpp"

#include "core/error.hpp"
#include "dicom/dictionary.hpp"
#include "retrieve/attributes.hpp"
#include "retrieve/matching.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace {

std::optional<dicom::Tag> tag_of(std::string_view column, bool any_key)
{
    const auto* const entry = dicom::dictionary::find(column);
    const auto known = info_columns();
    if (entry == nullptr || (!any_key && std::find(known.begin(), known.end(), entry->tag) == known.end())) {
        return std::nullopt;
    }
    return entry->tag;
}

/// What is wrong with a column that is no attribute. Its own text is not told: where a file lacks its header
/// line, that is a value.
std::string unknown_column(std::string_view column, bool any_key)
{
    const auto known = info_columns();
    const auto same = std::find_if(known.begin(), known.end(), [&](dicom::Tag tag) {
        const auto name = dicom::dictionary::name_of(tag);
        return std::equal(
            name.begin(), name.end(), column.begin(), column.end(),
            [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
    });
    if (same != known.end()) {
        return fmt::format("not a known column: {} is", dicom::dictionary::name_of(*same));
    }
    return any_key ? "no keyword of the data dictionary" : "not a known column";
}

class Checker {
public:
    explicit Checker(std::string_view name) : name_(name) {}

    void complain(std::string_view where, std::string_view what)
    {
        constexpr std::size_t most = 100;
        if (++count_ <= most) {
            text_ += fmt::format("{}'{}', {}: {}", text_.empty() ? "" : "\n", name_, where, what);
        }
    }

    void finish() const
    {
        if (count_ > 0) {
            throw Error{ErrorKind::Usage, text_};
        }
    }

private:
    std::string_view name_;
    std::string text_;
    std::size_t count_ = 0;
};

/// A column that is no attribute has no tag.
std::vector<dicom::Tag> columns_of(const std::vector<std::string>& header, bool any_key, Checker& checker)
{
    std::vector<dicom::Tag> columns;
    std::set<dicom::Tag> seen;
    for (std::size_t i = 0; i < header.size(); ++i) {
        const auto tag = tag_of(header[i], any_key);
        const auto where = fmt::format("column {}", i + 1);
        if (!tag) {
            checker.complain(where, unknown_column(header[i], any_key));
        } else if (!seen.insert(*tag).second) {
            checker.complain(where, "the column is there twice");
        }
        columns.push_back(tag.value_or(dicom::Tag{}));
    }
    return columns;
}

Row row_from(const Table::Row& cells, const std::vector<dicom::Tag>& columns, Checker& checker)
{
    Row row{.number = cells.number};
    for (std::size_t i = 0; i < cells.cells.size(); ++i) {
        const auto& value = cells.cells[i];
        const auto where = fmt::format("row {}, column {}", cells.number, i + 1);
        if (value.empty() || (i < columns.size() && columns[i] == dicom::Tag{})) {
            continue;
        }
        if (i >= columns.size()) {
            checker.complain(where, "a cell without a column");
        } else if (const auto problem = problem_with(columns[i], value); !problem.empty()) {
            checker.complain(fmt::format("{} '{}'", where, dicom::dictionary::name_of(columns[i])), problem);
        } else {
            row.criteria.push_back({columns[i], value});
        }
    }
    const bool empty = std::all_of(
        cells.cells.begin(), cells.cells.end(), [](const std::string& cell) { return cell.empty(); });
    if (empty) {
        checker.complain(fmt::format("row {}", cells.number), "the row asks for nothing in particular");
    }
    return row;
}

} // namespace

std::vector<Row> cohort_from(const Table& table, std::string_view name, bool any_key)
{
    Checker checker{name};
    const auto columns = columns_of(table.header, any_key, checker);
    std::vector<Row> rows;
    for (const auto& cells : table.rows) {
        rows.push_back(row_from(cells, columns, checker));
    }
    if (rows.empty()) {
        checker.complain("row 2", "there is no row");
    }
    checker.finish();
    return rows;
}

std::vector<Row> read_cohort(const std::filesystem::path& path, bool any_key)
{
    return cohort_from(read_csv(path), path.string(), any_key);
}

} // namespace dcmpipe::retrieve
