#include "retrieve/matching.hpp"

#include "dicom/dictionary.hpp"
#include "dicom/match.hpp"
#include "dicom/uid.hpp"
#include "dicom/vr.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace vr = dicom::vr;

namespace {

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == text.npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

std::string_view without_spaces(std::string_view text)
{
    const auto first = text.find_first_not_of(' ');
    if (first == text.npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool are_digits(std::string_view text)
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

/// YYYYMMDD, and a day of the calendar.
bool is_date(std::string_view text)
{
    using namespace std::chrono;
    return text.size() == 8 && are_digits(text) && number(text) >= 18000101 &&
           year_month_day{
               year{number(text.substr(0, 4))}, month{static_cast<unsigned>(number(text.substr(4, 2)))},
               day{static_cast<unsigned>(number(text.substr(6, 2)))}}
               .ok();
}

/// HH, HHMM, HHMMSS or HHMMSS.F to HHMMSS.FFFFFF
bool is_time(std::string_view text)
{
    const auto whole = text.substr(0, text.find('.'));
    const auto fraction = text.substr(whole.size());
    const bool sound_fraction =
        fraction.empty() || (whole.size() == 6 && fraction.size() <= 7 && are_digits(fraction.substr(1)));
    return are_digits(whole) && whole.size() % 2 == 0 && whole.size() <= 6 && sound_fraction &&
           number(whole.substr(0, 2)) < 24 && (whole.size() < 4 || number(whole.substr(2, 2)) < 60) &&
           (whole.size() < 6 || number(whole.substr(4, 2)) <= 60);
}

struct Range {
    std::string_view first; ///< empty: open
    std::string_view last;
};

/// A single value is the range from it to it.
Range range_of(std::string_view text)
{
    const auto dash = text.find('-');
    if (dash == text.npos) {
        return {text, text};
    }
    return {text.substr(0, dash), text.substr(dash + 1)};
}

template <class IsValue>
bool is_range(std::string_view text, IsValue is_value)
{
    const auto [first, last] = range_of(text);
    return (!first.empty() || !last.empty()) && (first.empty() || is_value(first)) &&
           (last.empty() || is_value(last)) && (first.empty() || last.empty() || first <= last);
}

/// The dots and colons of ACR-NEMA, which old devices still write.
std::string plain(std::string_view text, char separator)
{
    std::string without{without_spaces(text)};
    std::erase(without, separator);
    return without;
}

bool date_matches(std::string_view key, std::string_view value)
{
    const auto date = plain(value, '.');
    const auto [first, last] = range_of(key);
    return is_date(date) && (first.empty() || date >= first) && (last.empty() || date <= last);
}

/// To the microsecond; what is left open is filled from `rest`.
std::string filled(std::string_view time, std::string_view rest)
{
    std::string digits{time};
    std::erase(digits, '.');
    return digits.size() < rest.size() ? digits.append(rest.substr(digits.size())) : digits;
}

bool time_matches(std::string_view key, std::string_view value)
{
    constexpr std::string_view earliest = "000000000000";
    constexpr std::string_view latest = "235960999999";
    const auto time = plain(value, ':');
    const auto [first, last] = range_of(key);
    return is_time(time) && filled(time, latest) >= filled(first, earliest) &&
           filled(time, earliest) <= filled(last, latest);
}

std::optional<double> decimal(std::string_view text)
{
    text = without_spaces(text);
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && rest == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

bool number_matches(std::string_view key, std::string_view value)
{
    const auto a = decimal(key);
    const auto b = decimal(value);
    return a && b && *a == *b;
}

bool uid_matches(std::string_view key, std::string_view value)
{
    const auto uids = split(key, '\\');
    return std::find(uids.begin(), uids.end(), dicom::uid::trimmed(value)) != uids.end();
}

/// A name without the delimiters at its end, which say nothing (PS3.5 §6.2.1.1).
std::string_view shortened(std::string_view name)
{
    name = without_spaces(name);
    return name.substr(0, name.find_last_not_of("^ ") + 1);
}

/// Any of the component groups of the value may be meant: alphabetic, ideographic, phonetic.
bool name_matches(std::string_view key, std::string_view value)
{
    const auto fit = [&](std::string_view text) {
        return dicom::fits(shortened(text), shortened(key), dicom::Case::Ignored);
    };
    const auto groups = split(value, '=');
    return fit(value) || std::any_of(groups.begin(), groups.end(), fit);
}

bool text_matches(std::string_view key, std::string_view value)
{
    return dicom::fits(without_spaces(value), without_spaces(key), dicom::Case::Kept);
}

using Matcher = bool (*)(std::string_view key, std::string_view value);

struct Rule {
    dicom::Vr vr;
    Matcher matches;
    std::size_t longest; ///< characters of a key, 0 for any number
    bool wildcards;
};

constexpr std::array rules{
    Rule{vr::DA, date_matches, 0, false},    Rule{vr::TM, time_matches, 0, false},
    Rule{vr::UI, uid_matches, 0, false},     Rule{vr::PN, name_matches, 64, true},
    Rule{vr::IS, number_matches, 12, false}, Rule{vr::DS, number_matches, 16, false},
    Rule{vr::CS, text_matches, 0, true},     Rule{vr::SH, text_matches, 16, true},
    Rule{vr::AE, text_matches, 16, true},    Rule{vr::LO, text_matches, 64, true},
    Rule{vr::AS, text_matches, 4, true},     Rule{vr::ST, text_matches, 1024, true},
    Rule{vr::LT, text_matches, 10240, true}, Rule{vr::UT, text_matches, 0, true},
    Rule{vr::UC, text_matches, 0, true},
};

const Rule* rule_for(dicom::Tag tag)
{
    const auto wanted = dicom::dictionary::vr_of(tag);
    const auto* const found =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.vr == wanted; });
    return found != rules.end() ? found : nullptr;
}

std::size_t characters(std::string_view utf8)
{
    return static_cast<std::size_t>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool has_control(std::string_view text)
{
    return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

bool are_uids(std::string_view text)
{
    const auto uids = split(text, '\\');
    return std::all_of(uids.begin(), uids.end(), dicom::uid::is_valid);
}

} // namespace

std::string problem_with(dicom::Tag tag, std::string_view value)
{
    const auto* const rule = rule_for(tag);
    if (rule == nullptr) {
        return "values of this attribute cannot be asked for";
    }
    if (value.find_first_not_of("*?") == value.npos && value.find('*') != value.npos) {
        return "'*' alone would ask for everything";
    }
    if (has_control(value)) {
        return "a control character or line break";
    }
    if (rule->vr == vr::DA) {
        return is_range(value, is_date) ? "" : "neither YYYYMMDD nor a range YYYYMMDD-YYYYMMDD";
    }
    if (rule->vr == vr::TM) {
        return is_range(value, is_time) ? "" : "neither HHMMSS nor a range HHMMSS-HHMMSS";
    }
    if (rule->vr == vr::UI) {
        return are_uids(value) ? "" : "not a UID";
    }
    if (rule->matches == number_matches && !decimal(value)) {
        return "not a number";
    }
    if (rule->vr != vr::CS && value.find('\\') != value.npos) {
        return "a backslash";
    }
    if (rule->longest > 0 && characters(value) > rule->longest) {
        return fmt::format("more than {} characters", rule->longest);
    }
    return {};
}

bool matches(dicom::Tag tag, std::string_view key, std::string_view value)
{
    const auto* const rule = rule_for(tag);
    if (rule == nullptr) {
        return false;
    }
    if (rule->matches(key, value)) {
        return true;
    }
    const auto values = split(value, '\\');
    return values.size() > 1 && std::any_of(values.begin(), values.end(), [&](std::string_view one) {
               return rule->matches(key, one);
           });
}

} // namespace dcmpipe::retrieve
