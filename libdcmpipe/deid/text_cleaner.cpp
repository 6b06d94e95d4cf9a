#include "deid/text_cleaner.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "deid/everyday.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

#include <re2/re2.h>

namespace dcmpipe::deid {

namespace {

/// What may identify somebody whoever it is. Each match goes as a whole.
const std::vector<const RE2*>& telling_patterns()
{
    static const RE2 mail{R"([\w.+-]+@[\w-]+\.[\w.-]+)"};
    static const RE2 web{R"((?i)\b(?:https?|ftp|file)://\S+|\bwww\.\S+)"};
    static const RE2 uid{R"(\b\d+(?:\.\d+){4,}\b)"};
    static const RE2 iso_date{R"(\b(?:19|20)\d\d[-./]?(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])\b)"};
    static const RE2 other_date{R"(\b\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d\b)"};
    static const RE2 named_date{
        R"((?i)\b\d{1,2}(?:st|nd|rd|th|\.)?[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[ -](?:19|20)?\d\d\b)"};
    static const RE2 loose_date{R"(\b(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}\b)"};
    static const RE2 american_date{
        R"((?i)\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[ -]\d{1,2}(?:st|nd|rd|th)?,?[ -](?:19|20)\d\d\b)"};
    static const RE2 great_age{
        R"((?i)\b(?:9\d|1[0-3]\d)[ -]?(?:y/o|y\.o\.|yo\b|yrs?\b|years?\b|y\b|jahre|j\.)(?:[ -]old)?)"};
    static const RE2 host{R"(\b\d{1,3}(?:\.\d{1,3}){3}\b)"};
    static const RE2 telephone{R"(\+?\(?\d[\d ()/-]{6,}\d)"};
    static const RE2 long_number{R"([A-Za-z]{0,4}[-#]?\d{6,}\b)"};
    // MR, MS and DR in capitals are a modality, a disease and a modality; titles have a dot or small letters.
    static const RE2 title{
        R"(\b(?:(?:Dr|Mr|Mrs|Ms)\b\.?|(?i:dr|mr|mrs|ms)\.|(?i:prof|professor|doctor|miss|herr|frau|mme|mlle|nurse|pastor)\b\.?)(?:[ ^,.-]+\p{Lu}[\p{L}'-]*){0,3})"};
    static const RE2 dotted_title{R"((?i)\b(?:dr|prof|mr|mrs|ms)\.[ ^]*[\p{L}'-]+)"};
    static const RE2 label{
        R"((?i)\b(?:patient|name|pat|mrn|dob|born|geb|accession|phone|tel)\b\.? ?[:=#]\s*[^;\n]*)"};
    static const std::vector<const RE2*> all{
        &label,         &mail,      &web,  &uid,       &iso_date,    &other_date, &named_date,  &loose_date,
        &american_date, &great_age, &host, &telephone, &long_number, &title,      &dotted_title};
    return all;
}

bool is_word(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0;
}

/// Marks in `doomed` the whole words that the bytes from `start` to `end` touch.
void doom_words(std::string_view text, std::size_t start, std::size_t end, std::vector<bool>& doomed)
{
    while (start > 0 && is_word(text[start - 1]) && is_word(text[start])) {
        --start;
    }
    while (end < text.size() && is_word(text[end]) && is_word(text[end - 1])) {
        ++end;
    }
    std::fill(
        doomed.begin() + static_cast<std::ptrdiff_t>(start),
        doomed.begin() + static_cast<std::ptrdiff_t>(end), true);
}

/// Words apart that still make one name: `Parkinson, James`, `James Parkinson`.
constexpr std::size_t close_by = 3;

void doom_people(std::string_view text, const Identity& identity, std::vector<bool>& doomed)
{
    const auto hits = identity.search().find_in_text(text);
    for (const auto& hit : hits) {
        const bool beside_another = std::any_of(hits.begin(), hits.end(), [&](const TokenSearch::Hit& other) {
            const auto gap = other.start > hit.start ? other.start - (hit.start + hit.length)
                                                     : hit.start - (other.start + other.length);
            return other.token != hit.token && gap <= close_by;
        });
        if (!hit.token->weak || beside_another) {
            doom_words(text, hit.start, hit.start + hit.length, doomed);
        }
    }
}

void doom_patterns(std::string_view text, std::vector<bool>& doomed)
{
    for (const RE2* const pattern : telling_patterns()) {
        re2::StringPiece match;
        std::size_t from = 0;
        while (from < text.size() &&
               pattern->Match({text.data(), text.size()}, from, text.size(), RE2::UNANCHORED, &match, 1) &&
               !match.empty()) {
            const auto start = static_cast<std::size_t>(match.data() - text.data());
            std::fill_n(doomed.begin() + static_cast<std::ptrdiff_t>(start), match.size(), true);
            from = start + match.size();
        }
    }
}

/// `DR SMITH` is a title and a name, `DR CHEST` a modality and a body part: the word behind decides.
void doom_titled_capitals(std::string_view text, std::vector<bool>& doomed)
{
    static const RE2 capitals{R"(\b((?:DR|dr)[ ^]+([\p{L}'-]{2,})))"};
    re2::StringPiece rest{text.data(), text.size()};
    re2::StringPiece whole;
    re2::StringPiece name;
    while (RE2::FindAndConsume(&rest, capitals, &whole, &name)) {
        if (!is_everyday({name.data(), name.size()})) {
            const auto start = whole.data() - text.data();
            std::fill_n(doomed.begin() + start, whole.size(), true);
        }
    }
}

void doom_unknown_words(std::string_view text, const Vocabulary& vocabulary, std::vector<bool>& doomed)
{
    for (std::size_t start = 0; start < text.size();) {
        if (!is_word(text[start])) {
            ++start;
            continue;
        }
        auto end = start;
        while (end < text.size() && is_word(text[end])) {
            ++end;
        }
        if (!vocabulary.contains(folded(text.substr(start, end - start)))) {
            doom_words(text, start, end, doomed);
        }
        start = end;
    }
}

/// What is left, without the gaps: one space where several met, none at the ends.
std::string remaining(std::string_view text, const std::vector<bool>& doomed)
{
    std::string left;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool gap = doomed[i] || text[i] == ' ';
        if (!gap) {
            left += text[i];
        } else if (!left.empty() && left.back() != ' ') {
            left += ' ';
        }
    }
    while (!left.empty() && std::string_view{" ,;:-_/^("}.find(left.back()) != std::string_view::npos) {
        left.pop_back();
    }
    return left.substr(std::min(left.find_first_not_of(" ,;:^)"), left.size()));
}

} // namespace

Vocabulary read_vocabulary(const std::string& path)
{
    std::string text;
    try {
        text = read_text_file(path);
    } catch (const Error& error) {
        throw Error{ErrorKind::Usage, "cannot read the vocabulary", path, error.reason()};
    }
    Vocabulary words;
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find('\n', start), text.size());
        auto line = text.substr(start, end - start);
        line.resize(std::min(line.find('#'), line.size()));
        std::string word;
        std::copy_if(line.begin(), line.end(), std::back_inserter(word), is_word);
        if (!word.empty()) {
            words.insert(folded(word));
        }
        start = end + 1;
    }
    return words;
}

std::string cleaned(std::string_view text, const Identity& identity, const Vocabulary& vocabulary)
{
    std::vector<bool> doomed(text.size(), false);
    doom_people(text, identity, doomed);
    doom_patterns(text, doomed);
    doom_titled_capitals(text, doomed);
    if (!vocabulary.empty()) {
        doom_unknown_words(text, vocabulary, doomed);
    }
    if (std::find(doomed.begin(), doomed.end(), true) == doomed.end()) {
        return std::string{text};
    }
    return remaining(text, doomed);
}

} // namespace dcmpipe::deid
