#include "retrieve/cohort.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"
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

/// Of PACSIFIER's cohorts: no criterion, but the code that the patient shall get.
constexpr std::string_view new_ids_column = "new_ids";

std::string named(const std::string& value, dicom::Tag tag, NameMode names)
{
    if (names == NameMode::AsGiven || tag != dicom::tags::PatientName) {
        return value;
    }
    auto last = value.substr(value.find_last_of(' ') + 1);
    std::transform(last.begin(), last.end(), last.begin(), [](unsigned char c) {
        return static_cast<char>(c < 0x80 ? std::toupper(c) : c);
    });
    return "*" + last;
}

/// A column that is no attribute has no tag.
std::vector<dicom::Tag> columns_of(const std::vector<std::string>& header, bool any_key, Checker& checker)
{
    std::vector<dicom::Tag> columns;
    std::set<dicom::Tag> seen;
    for (std::size_t i = 0; i < header.size(); ++i) {
        const auto tag = tag_of(header[i], any_key);
        const auto where = fmt::format("column {}", i + 1);
        if (header[i] == new_ids_column) {
            // It is taken by its name, below.
        } else if (!tag) {
            checker.complain(where, unknown_column(header[i], any_key));
        } else if (!seen.insert(*tag).second) {
            checker.complain(where, "the column is there twice");
        }
        columns.push_back(tag.value_or(dicom::Tag{}));
    }
    return columns;
}

Row row_from(
    const Table& table, const Table::Row& cells, const std::vector<dicom::Tag>& columns, NameMode names,
    Checker& checker)
{
    Row row{.number = cells.number};
    bool asks = false;
    for (std::size_t i = 0; i < cells.cells.size(); ++i) {
        const auto& value = cells.cells[i];
        const auto where = fmt::format("row {}, column {}", cells.number, i + 1);
        if (value.empty()) {
            continue;
        }
        if (i < columns.size() && columns[i] == dicom::Tag{}) {
            const bool code = table.header[i] == new_ids_column;
            row.new_id = code ? value : row.new_id;
            asks = asks || !code;
            continue;
        }
        asks = true;
        if (i >= columns.size()) {
            checker.complain(where, "a cell without a column");
        } else if (const auto problem = problem_with(columns[i], value); !problem.empty()) {
            checker.complain(fmt::format("{} '{}'", where, dicom::dictionary::name_of(columns[i])), problem);
        } else {
            row.criteria.push_back({columns[i], named(value, columns[i], names)});
        }
    }
    if (!asks) {
        checker.complain(fmt::format("row {}", cells.number), "the row asks for nothing in particular");
    }
    return row;
}

} // namespace

std::vector<Row> cohort_from(const Table& table, std::string_view name, bool any_key, NameMode names)
{
    Checker checker{name};
    const auto columns = columns_of(table.header, any_key, checker);
    std::vector<Row> rows;
    for (const auto& cells : table.rows) {
        rows.push_back(row_from(table, cells, columns, names, checker));
    }
    if (rows.empty()) {
        checker.complain("row 2", "there is no row");
    }
    checker.finish();
    return rows;
}

std::vector<Row> read_cohort(const std::filesystem::path& path, bool any_key, NameMode names)
{
    return cohort_from(read_csv(path), path.string(), any_key, names);
}

std::vector<Row> read_studies(const std::filesystem::path& path)
{
    const auto text = read_text_file(path);
    const auto name = path.string();
    Checker checker{name};
    std::vector<Row> rows;
    std::size_t number = 0;
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find('\n', start), text.size());
        const auto uid = dicom::uid::trimmed(std::string_view{text}.substr(
            start, end - start - (end > start && text[end - 1] == '\r' ? 1 : 0)));
        ++number;
        start = end + 1;
        if (!uid.empty() && !dicom::uid::is_valid(uid)) {
            checker.complain(fmt::format("line {}", number), "not a UID");
        } else if (!uid.empty()) {
            rows.push_back(
                {.number = number, .criteria = {{dicom::tags::StudyInstanceUID, std::string{uid}}}});
        }
    }
    if (rows.empty()) {
        checker.complain("line 1", "there is no study");
    }
    checker.finish();
    return rows;
}

} // namespace dcmpipe::retrieve
