#include "deid/csa_header.hpp"

#include "deid/private_values.hpp"
#include "deid/token_search.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::deid {

namespace {

constexpr std::string_view begin_mark = "### ASCCONV BEGIN";
constexpr std::string_view end_mark = "### ASCCONV END ###";

/// What keys of texts that may stay end in: names of sequences, coils and software baselines.
constexpr std::array<std::string_view, 8> safe_texts{
    "tSequenceFileName", "sCoilElementID.tCoilID",   "sCoilElementID.tElement",   ".tNucleus",
    ".tBaselineString",  ".tMeasuredBaselineString", ".sCoilStringForConversion", "MemBlock.tFree",
};

/// Parts of keys, in lower case, whose numbers tell of a person.
constexpr std::array<std::string_view, 4> personal{"patient", "birth", "uid", "frameofreference"};

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blank = " \t\r";
    const auto start = text.find_first_not_of(blank);
    return start == text.npos ? std::string_view{}
                              : text.substr(start, text.find_last_not_of(blank) - start + 1);
}

bool is_key(std::string_view key)
{
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.[]";
    constexpr std::size_t longest = 128;
    const bool good = !key.empty() && key.size() <= longest && key.find_first_not_of(letters) == key.npos;
    const auto folded_key = folded(key);
    return good && std::none_of(personal.begin(), personal.end(), [&](std::string_view part) {
               return folded_key.find(part) != std::string::npos;
           });
}

/// `-1.5e-05`, `0x1f`.
bool is_number(std::string_view value)
{
    constexpr std::size_t longest = 32;
    if (value.empty() || value.size() > longest) {
        return false;
    }
    if (value.substr(0, 2) == "0x") {
        constexpr std::size_t longest_mask = 2 + 16;
        return value.size() <= longest_mask &&
               value.find_first_not_of("0123456789abcdefABCDEF", 2) == value.npos;
    }
    return value.find_first_not_of("0123456789+-.e") == value.npos;
}

/// Between single or doubled quotes.
bool is_safe_text(std::string_view key, std::string_view value)
{
    const auto quote = value.find_first_not_of('"');
    const auto last = value.find_last_not_of('"');
    const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    const bool known = std::any_of(safe_texts.begin(), safe_texts.end(), [&](std::string_view end) {
        return key.size() >= end.size() && key.substr(key.size() - end.size()) == end;
    });
    return quoted && known && quote != value.npos && is_code(value.substr(quote, last - quote + 1));
}

} // namespace

std::optional<std::string> cleaned_protocol(std::string_view text)
{
    const auto begin = text.find(begin_mark);
    const auto end = begin == text.npos ? text.npos : text.find(end_mark, begin);
    if (end == text.npos) {
        return std::nullopt;
    }
    auto lines = text.substr(begin, end - begin);
    // Not at the very start: there dcm2niix passes over the mark.
    std::string cleaned = "\n### ASCCONV BEGIN ###\n";
    while (!lines.empty()) {
        const auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        const auto equals = line.find('=');
        if (equals == line.npos) {
            continue;
        }
        const auto key = trimmed(line.substr(0, equals));
        const auto value = trimmed(line.substr(equals + 1));
        if (is_key(key) && (is_number(value) || is_safe_text(key, value))) {
            cleaned.append(key).append("\t = \t").append(value) += '\n';
        }
    }
    return cleaned.append(end_mark) += '\n';
}

} // namespace dcmpipe::deid
