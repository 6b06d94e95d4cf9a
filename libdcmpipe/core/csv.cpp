#include "core/csv.hpp"

#include "core/error.hpp"
#include "core/file_bytes.hpp"
#include "core/utf8.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe {

namespace {

/// The separator that stands most often in the first line, outside of quotes.
char separator_of(std::string_view text)
{
    const auto first_line = text.substr(0, text.find('\n'));
    char best = ',';
    std::ptrdiff_t most = 0;
    for (const char candidate : {',', ';', '\t'}) {
        bool quoted = false;
        const auto count = std::count_if(first_line.begin(), first_line.end(), [&](char c) {
            quoted = quoted != (c == '"');
            return c == candidate && !quoted;
        });
        if (count > most) {
            most = count;
            best = candidate;
        }
    }
    return best;
}

std::string trimmed(std::string_view cell)
{
    const auto start = std::min(cell.find_first_not_of(" \t"), cell.size());
    const auto end = cell.find_last_not_of(" \t") + 1; // npos + 1 is 0
    return std::string{cell.substr(start, std::max(end, start) - start)};
}

/// Takes rows from a text, one after the other.
class Reader {
public:
    Reader(std::string_view text, std::string_view name)
        : text_(text), name_(name), separator_(separator_of(text))
    {
    }

    bool at_end() const { return text_.empty(); }

    std::vector<std::string> row()
    {
        std::vector<std::string> cells;
        do {
            cells.push_back(trimmed(cell()));
        } while (take(separator_));
        take('\r');
        take('\n');
        ++number_;
        return cells;
    }

    std::size_t number() const { return number_; }

private:
    bool take(char c)
    {
        const bool there = !text_.empty() && text_.front() == c;
        text_.remove_prefix(there ? 1 : 0);
        return there;
    }

    std::string cell() { return take('"') ? quoted() : plain(); }

    std::string plain()
    {
        const auto end = std::min(text_.find_first_of(std::string{separator_, '\r', '\n'}), text_.size());
        std::string cell{text_.substr(0, end)};
        text_.remove_prefix(end);
        return cell;
    }

    std::string quoted()
    {
        std::string cell;
        for (;;) {
            const auto end = text_.find('"');
            if (end == text_.npos) {
                throw Error{
                    ErrorKind::Usage, "cannot read", name_,
                    fmt::format("row {}: a quote does not end", number_ + 1)};
            }
            cell += text_.substr(0, end);
            text_.remove_prefix(end + 1);
            if (!take('"')) {
                return cell + plain(); // what stands behind the quote is kept
            }
            cell += '"';
        }
    }

    std::string_view text_;
    std::string_view name_;
    char separator_;
    std::size_t number_ = 0; ///< of rows taken
};

bool is_blank(const std::vector<std::string>& cells)
{
    return cells.size() == 1 && cells.front().empty();
}

} // namespace

Table parse_csv(std::string_view text, std::string_view name)
{
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
    }
    const auto utf8 = is_utf8(text) ? std::string{text} : from_latin1(text);
    Reader reader{utf8, name};
    Table table;
    while (!reader.at_end()) {
        auto cells = reader.row();
        if (is_blank(cells)) {
            continue;
        }
        if (table.header.empty()) {
            table.header = std::move(cells);
        } else {
            table.rows.push_back({reader.number(), std::move(cells)});
        }
    }
    if (table.header.empty()) {
        throw Error{ErrorKind::Usage, "cannot read", name, "it has no header"};
    }
    return table;
}

Table read_csv(const std::filesystem::path& path)
{
    try {
        return parse_csv(FileBytes::open(path).view(), path.string());
    } catch (const Error& error) {
        throw Error{ErrorKind::Usage, "cannot read", path.string(), error.reason()};
    }
}

std::string csv_line(const std::vector<std::string>& cells)
{
    std::string line;
    for (const auto& cell : cells) {
        line += &cell == &cells.front() ? "" : ",";
        if (cell.find_first_of(",;\t\"\r\n") == cell.npos) {
            line += cell;
            continue;
        }
        line += '"';
        for (const char c : cell) {
            line += c == '"' ? "\"\"" : std::string(1, c);
        }
        line += '"';
    }
    return line + "\r\n";
}

} // namespace dcmpipe
