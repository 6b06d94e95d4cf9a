#include "deid/dates.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace {

using Days = std::chrono::sys_days;
using Date = std::chrono::year_month_day;

bool is_digits(std::string_view text)
{
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int number(std::string_view digits)
{
    int value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::string_view without_padding(std::string_view value)
{
    while (!value.empty() && (value.back() == ' ' || value.back() == '\0')) {
        value.remove_suffix(1);
    }
    while (!value.empty() && value.front() == ' ') {
        value.remove_prefix(1);
    }
    return value;
}

/// Applies `change` to each of the values; nothing where it fails for one. Empty values stay empty.
template <class Change>
std::optional<std::string> each_value(std::string_view values, Change change)
{
    std::string changed;
    for (std::size_t start = 0; start <= values.size();) {
        const auto end = std::min(values.find('\\', start), values.size());
        const auto value = without_padding(values.substr(start, end - start));
        const auto result = value.empty() ? std::optional<std::string>{""} : change(value);
        if (!result) {
            return std::nullopt;
        }
        changed += (start > 0 ? "\\" : "") + *result;
        start = end + 1;
    }
    return changed;
}

std::optional<Date> date_from(std::string_view year, std::string_view month, std::string_view day)
{
    if (!is_digits(year) || !is_digits(month) || !is_digits(day)) {
        return std::nullopt;
    }
    const Date date{
        std::chrono::year{number(year)}, std::chrono::month{static_cast<unsigned>(number(month))},
        std::chrono::day{static_cast<unsigned>(number(day))}};
    return date.ok() ? std::optional{date} : std::nullopt;
}

Date moved(const Date& date, int days)
{
    return Date{Days{date} - std::chrono::days{days}};
}

std::string text_of(const Date& date, std::string_view between = "")
{
    return fmt::format(
        "{:04}{}{:02}{}{:02}", static_cast<int>(date.year()), between, static_cast<unsigned>(date.month()),
        between, static_cast<unsigned>(date.day()));
}

/// YYYYMMDD or YYYY.MM.DD (PS3.5 §6.2, note of DA), with what stood between its parts.
struct ReadDate {
    Date date;
    std::string_view between;
};

std::optional<ReadDate> read_da(std::string_view value)
{
    const bool old = value.size() == 10 && value[4] == '.' && value[7] == '.';
    if (value.size() != 8 && !old) {
        return std::nullopt;
    }
    const auto date = old ? date_from(value.substr(0, 4), value.substr(5, 2), value.substr(8, 2))
                          : date_from(value.substr(0, 4), value.substr(4, 2), value.substr(6, 2));
    return date ? std::optional{ReadDate{*date, old ? "." : ""}} : std::nullopt;
}

/// HH[MM[SS[.F{1,6}]]] with fields in range; leap seconds included.
bool is_time(std::string_view text)
{
    const auto dot = std::min(text.find('.'), text.size());
    const auto digits = text.substr(0, dot);
    const auto fraction = text.substr(std::min(dot + 1, text.size()));
    if (!is_digits(digits) || digits.size() % 2 != 0 || digits.size() > 6 ||
        (dot < text.size() && (digits.size() != 6 || !is_digits(fraction) || fraction.size() > 6))) {
        return false;
    }
    return number(digits.substr(0, 2)) < 24 && (digits.size() < 4 || number(digits.substr(2, 2)) < 60) &&
           (digits.size() < 6 || number(digits.substr(4, 2)) <= 60);
}

bool is_offset(std::string_view text)
{
    return text.empty() ||
           (text.size() == 5 && (text[0] == '+' || text[0] == '-') && is_digits(text.substr(1)));
}

std::optional<std::string> shift_one_dt(std::string_view value, int days)
{
    const auto offset_start = std::min(value.find_first_of("+-"), value.size());
    const auto offset = value.substr(offset_start);
    const auto stamp = value.substr(0, offset_start);
    if (!is_offset(offset)) {
        return std::nullopt;
    }
    std::optional<Date> date;
    if (stamp.size() == 4) {
        date = date_from(stamp, "07", "02");
    } else if (stamp.size() == 6) {
        date = date_from(stamp.substr(0, 4), stamp.substr(4, 2), "15");
    } else if (stamp.size() == 8 || (stamp.size() > 8 && is_time(stamp.substr(8)))) {
        date = date_from(stamp.substr(0, 4), stamp.substr(4, 2), stamp.substr(6, 2));
    }
    if (!date) {
        return std::nullopt;
    }
    const auto day = std::min<std::size_t>(8, stamp.size());
    return text_of(moved(*date, days)).substr(0, day).append(stamp.substr(day)).append(offset);
}

} // namespace

std::optional<std::string> shift_da(std::string_view values, int days)
{
    return each_value(values, [&](std::string_view value) -> std::optional<std::string> {
        const auto read = read_da(value);
        return read ? std::optional{text_of(moved(read->date, days), read->between)} : std::nullopt;
    });
}

std::optional<std::string> shift_dt(std::string_view values, int days)
{
    return each_value(values, [&](std::string_view value) { return shift_one_dt(value, days); });
}

std::optional<std::string> cap_age(std::string_view values, int most_years)
{
    return each_value(values, [&](std::string_view value) -> std::optional<std::string> {
        static constexpr std::string_view units = "DWMY";
        static constexpr int units_a_year[]{365, 52, 12, 1};
        const auto unit = value.size() == 4 ? units.find(value[3]) : units.npos;
        if (unit == units.npos || !is_digits(value.substr(0, 3))) {
            return std::nullopt;
        }
        const bool old = number(value.substr(0, 3)) >= (most_years + 1) * units_a_year[unit];
        return old ? fmt::format("{:03}Y", most_years + 1) : std::string{value};
    });
}

bool is_tm(std::string_view values)
{
    const auto read = each_value(values, [](std::string_view value) -> std::optional<std::string> {
        std::string digits{value};
        if (value.size() >= 8 && value[2] == ':' && value[5] == ':') {
            digits.erase(5, 1).erase(2, 1);
        }
        return is_time(digits) ? std::optional{digits} : std::nullopt;
    });
    return read.has_value();
}

std::optional<std::string> truncate_da(std::string_view values, bool keep_month)
{
    return each_value(values, [&](std::string_view value) -> std::optional<std::string> {
        const auto read = read_da(value.substr(0, value.size() > 8 && value[4] != '.' ? 8 : value.size()));
        if (!read) {
            return std::nullopt;
        }
        const Date cut{
            read->date.year(), keep_month ? read->date.month() : std::chrono::month{1}, std::chrono::day{1}};
        return text_of(cut, read->between);
    });
}

} // namespace dcmpipe::deid
