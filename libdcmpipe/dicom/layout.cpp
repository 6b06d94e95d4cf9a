#include "dicom/layout.hpp"

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>

namespace dcmpipe::dicom {

namespace {

const std::map<std::string_view, std::string_view> named{
    {"uid", "{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm"},
    {"patient", "{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm"},
    {"receiver", "{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/scans/{SOPInstanceUID}.dcm"},
    {"pacsifier", "sub-{PatientID}/ses-{StudyDate}{StudyTime}/{SeriesNumber:05}-{SeriesDescription}/"
                  "{Modality}.{SOPInstanceUID}"},
};

constexpr std::array above_series{
    tags::PatientID,        tags::PatientName,       tags::PatientBirthDate, tags::StudyInstanceUID,
    tags::StudyDate,        tags::StudyTime,         tags::StudyID,          tags::AccessionNumber,
    tags::StudyDescription, tags::IssuerOfPatientID,
};

bool is_above_series(Tag tag)
{
    return std::find(above_series.begin(), above_series.end(), tag) != above_series.end();
}

[[noreturn]] void refuse(std::string_view text, std::string_view reason)
{
    throw Error{ErrorKind::Usage, "wrong layout", text, reason};
}

/// What Unicode's decomposition (NFD) leaves of Latin letters without their accents; a dot where that is no
/// ASCII letter. From U+00C0 and from U+1E00 on.
constexpr std::string_view latin_letters =
    "AAAAAA.CEEEEIIII.NOOOOO..UUUUY..aaaaaa.ceeeeiiii.nooooo..uuuuy.yAaAaAaCcCcCcCcDd..EeEeEeEeEeGgGg"
    "GgGgHh..IiIiIiIiI...JjKk.LlLlLl....NnNnNn...OoOoOo..RrRrRrSsSsSsSsTtTt..UuUuUuUuUuUuWwYyYZzZzZz."
    "................................Oo.............Uu............................AaIiOoUuUuUuUuUu.Aa"
    "Aa....GgKkOoOo..j...Gg..NnAa....AaAaEeEeIiIiOoOoRrRrUuUuSsTt..Hh......AaEeOoOoOoOoYy";
constexpr std::string_view vietnamese_letters =
    "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMmMmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRr"
    "SsSsSsSsSsTtTtTtTtUuUuUuUuUuVvVvWwWwWwWwWwXxXxYyZzZzZzhtwy......AaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEe"
    "EeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy";

/// The letter that begins `text`, of two or three bytes in UTF-8, without its accents; nothing where there is
/// no such.
std::string_view base_letter(std::string_view text)
{
    const auto bits = [&](std::size_t i) { return static_cast<unsigned>(text[i]) & 0x3fU; };
    const auto lead = static_cast<unsigned char>(text.front());
    const auto pick = [](std::string_view letters, unsigned number) {
        const auto letter = number < letters.size() ? letters.substr(number, 1) : ".";
        return letter == "." ? std::string_view{} : letter;
    };
    if (lead >= 0xc0 && lead < 0xe0 && text.size() > 1) {
        return pick(latin_letters, ((lead & 0x1fU) << 6U | bits(1)) - 0xc0);
    }
    if (lead == 0xe1 && text.size() > 2) {
        return pick(vietnamese_letters, (0x1000U | bits(1) << 6U | bits(2)) - 0x1e00);
    }
    return {};
}

std::string_view first_value(std::string_view text)
{
    return text.substr(0, text.find('\\'));
}

unsigned width_from(std::string_view digits, std::string_view layout)
{
    constexpr unsigned widest = 64;
    unsigned width = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, width);
    if (error != std::errc{} || rest != end || width > widest) {
        refuse(layout, fmt::format("wrong width '{}'", digits));
    }
    return width;
}

} // namespace

std::string safe_name(std::string_view text)
{
    constexpr std::size_t longest = 200;
    std::string name;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool harmful =
            byte < 0x20 || byte == 0x7f || std::string_view{"/\\:*?\"<>|"}.find(c) != std::string_view::npos;
        name += harmful ? '_' : c;
    }
    while (!name.empty() && (name.back() == ' ' || name.back() == '.')) {
        name.pop_back();
    }
    if (name.starts_with('.') || name.starts_with('-') || name.starts_with(' ')) {
        name.front() = '_';
    }
    while (name.size() > longest || !is_utf8(name)) {
        name.pop_back();
    }
    return name.empty() ? "none" : name;
}

std::string pacsifier_name(std::string_view text)
{
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((text[i] & 0x80) != 0) {
            name += base_letter(text.substr(i));
        } else if (std::isalnum(static_cast<unsigned char>(text[i])) != 0) {
            name += text[i];
        } else if (!name.ends_with('_')) {
            name += '_';
        }
    }
    return name;
}

Layout::Layout(std::string_view name_or_template)
{
    const auto found = named.find(name_or_template);
    auto rest = found != named.end() ? found->second : name_or_template;
    pacsifier_ = name_or_template == "pacsifier";
    if (rest.find('{') == rest.npos) {
        refuse(name_or_template, "neither a layout's name nor a template with {Keyword}");
    }
    if (rest.starts_with('/') || rest.ends_with('/')) {
        refuse(name_or_template, "not a relative path of a file");
    }
    while (!rest.empty()) {
        const auto slash = std::min(rest.find('/'), rest.size());
        auto text = rest.substr(0, slash);
        rest.remove_prefix(std::min(slash + 1, rest.size()));
        if (text.empty() || text == "." || text == "..") {
            refuse(name_or_template, "an empty or dotted component");
        }
        Component component;
        while (!text.empty()) {
            const auto open = std::min(text.find('{'), text.size());
            Piece piece{std::string{text.substr(0, open)}, {}, 0};
            text.remove_prefix(open);
            if (!text.empty()) {
                const auto close = text.find('}');
                if (close == text.npos) {
                    refuse(name_or_template, "a brace is not closed");
                }
                const auto word = text.substr(1, close - 1);
                const auto colon = std::min(word.find(':'), word.size());
                const auto* const entry = dictionary::find(word.substr(0, colon));
                if (entry == nullptr) {
                    refuse(name_or_template, fmt::format("unknown keyword {}", word.substr(0, colon)));
                }
                if (colon < word.size()) {
                    piece.width = width_from(word.substr(colon + 1), name_or_template);
                }
                piece.tag = entry->tag;
                text.remove_prefix(close + 1);
            }
            component.push_back(std::move(piece));
        }
        components_.push_back(std::move(component));
        const auto& pieces = components_.back();
        if (std::any_of(
                pieces.begin(), pieces.end(), [](const Piece& p) { return is_above_series(p.tag); })) {
            study_components_ = components_.size();
        }
    }
}

std::string Layout::component_of(const Component& component, const ValueOf& value_of) const
{
    std::string text;
    for (const Piece& piece : component) {
        text += piece.literal;
        if (piece.tag == Tag{}) {
            continue;
        }
        auto value = std::string{first_value(value_of(piece.tag))};
        if (pacsifier_ && piece.tag != tags::SOPInstanceUID) {
            value = piece.tag == tags::SeriesDescription && value.empty() ? "No_series_description"
                                                                          : pacsifier_name(value);
        } else if (value.empty() && piece.width == 0) {
            value = "none";
        }
        if (value.size() < piece.width) {
            value.insert(0, piece.width - value.size(), '0');
        }
        text += value;
    }
    return safe_name(text);
}

Layout::Place Layout::place_of(const ValueOf& value_of) const
{
    Place place;
    for (std::size_t i = 0; i < components_.size(); ++i) {
        place.file /= component_of(components_[i], value_of);
        if (i + 1 == study_components_) {
            place.study_folder = place.file;
        }
    }
    return place;
}

Tag Layout::last_tag() const
{
    Tag last = tags::SpecificCharacterSet;
    for (const auto& component : components_) {
        for (const auto& piece : component) {
            last = std::max(last, piece.tag);
        }
    }
    return last;
}

bool Layout::names_by_instance() const
{
    const auto& name = components_.back();
    const bool ends_so =
        name.size() == 1 || (name.size() == 2 && name[1].tag == Tag{} && name[1].literal == ".dcm");
    return ends_so && name[0].literal.empty() && name[0].tag == tags::SOPInstanceUID;
}

Layout::Place Layout::place_of(const ElementIndex& data_set) const
{
    const CharacterSet characters{data_set.text(tags::SpecificCharacterSet)};
    return place_of([&](Tag tag) { return characters.to_utf8(data_set.text(tag)); });
}

} // namespace dcmpipe::dicom
