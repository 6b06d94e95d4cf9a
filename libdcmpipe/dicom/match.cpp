#include "dicom/match.hpp"

#include "core/error.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"
#include "dicom/values.hpp"

#include <algorithm>
#include <cctype>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <fmt/format.h>

namespace dcmpipe::dicom {

namespace {

char folded(char c)
{
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

/// Not the first byte of a character in UTF-8.
bool is_continuation(char c)
{
    return (c & 0xc0) == 0x80;
}

/// The values of an attribute as text; none where it is absent.
std::vector<std::string> values_of(const ElementIndex& data_set, Tag tag)
{
    const auto found = data_set.find(tag);
    return found == ElementIndex::None
               ? std::vector<std::string>{}
               : values_of(
                     data_set, data_set[found], CharacterSet{data_set.text(tags::SpecificCharacterSet)});
}

} // namespace

bool fits(std::string_view text, std::string_view pattern, Case letters) noexcept
{
    const auto same = [letters](char a, char b) {
        return a == b || (letters == Case::Ignored && folded(a) == folded(b));
    };
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t star = pattern.npos;
    std::size_t after_star = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            after_star = t;
        } else if (p < pattern.size() && pattern[p] == '?') {
            ++p;
            do {
                ++t;
            } while (t < text.size() && is_continuation(text[t]));
        } else if (p < pattern.size() && same(pattern[p], text[t])) {
            ++p;
            ++t;
        } else if (star != pattern.npos) {
            p = star + 1;
            t = ++after_star;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == pattern.npos;
}

std::string sop_class_name(std::string_view uid)
{
    const std::string text{uid};
    const char* const name = ::dcmFindNameOfUID(text.c_str(), text.c_str());
    std::string_view short_name{name};
    constexpr std::string_view ending = "Storage";
    if (short_name.ends_with(ending)) {
        short_name.remove_suffix(ending.size());
    }
    return std::string{short_name};
}

void Condition::add(std::string_view word, std::vector<std::string> patterns)
{
    if (word == "SOPClass") {
        terms_.push_back({tags::SOPClassUID, std::move(patterns), true});
        return;
    }
    const auto tag = dictionary::tag_from(word);
    if (!tag) {
        throw Error{ErrorKind::Usage, fmt::format("'{}' is no attribute of the data dictionary", word)};
    }
    terms_.push_back({*tag, std::move(patterns), false});
}

bool Condition::holds(const Instance& instance) const
{
    return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
        auto values = values_of(instance.data_set(), term.tag);
        if (term.sop_class) {
            const auto uid = std::string{instance.sop_class_uid()};
            values = {uid, sop_class_name(uid)};
        }
        return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
            return std::any_of(term.patterns.begin(), term.patterns.end(), [&](const std::string& pattern) {
                return fits(value, pattern);
            });
        });
    });
}

} // namespace dcmpipe::dicom
