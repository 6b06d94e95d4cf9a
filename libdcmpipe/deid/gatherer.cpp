#include "deid/gatherer.hpp"

#include "deid/dates.hpp"
#include "deid/everyday.hpp"
#include "deid/letters.hpp"
#include "deid/rules.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::CharacterSet;
using dicom::Element;
using dicom::Tag;

namespace {

constexpr std::array id_tags{
    tags::PatientID,        tags::OtherPatientIDs,      tags::AccessionNumber,
    tags::AdmissionID,      tags::MedicalRecordLocator, tags::InsurancePlanIdentification,
    tags::ServiceEpisodeID, tags::IssuerOfPatientID,
};

constexpr std::array contact_tags{
    tags::PatientAddress,    tags::PatientTelephoneNumbers, tags::PatientTelecomInformation,
    tags::PersonAddress,     tags::PersonTelephoneNumbers,  tags::PersonTelecomInformation,
    tags::RegionOfResidence,
};

constexpr std::array place_tags{tags::InstitutionName, tags::InstitutionAddress};

template <class Tags>
bool contains(const Tags& list, Tag tag)
{
    return std::find(list.begin(), list.end(), tag) != list.end();
}

/// Without the escape sequences that switch character sets (ISO 2022): in a sentence they stand elsewhere.
std::string without_escapes(std::string_view text)
{
    constexpr char escape = '\x1b';
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != escape) {
            plain += text[i];
            continue;
        }
        while (i + 1 < text.size() && text[i + 1] >= 0x20 && text[i + 1] <= 0x2f) {
            ++i;
        }
        ++i; // the final byte
    }
    return plain;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators)
{
    std::vector<std::string_view> parts;
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find_first_of(separators, start), text.size());
        if (end > start) {
            parts.push_back(text.substr(start, end - start));
        }
        start = end + 1;
    }
    return parts;
}

dicom::Vr vr_of(const Element& element)
{
    const auto* const known = dicom::dictionary::find(element.tag);
    return known != nullptr ? known->vr : element.vr;
}

/// The day of a DA or DT: its first characters, in the old form of ten (PS3.5 §6.2).
std::string_view day_of(std::string_view value)
{
    return value.substr(0, value.size() >= 10 && value[4] == '.' ? 10 : 8);
}

/// YYYYMMDD out of a DA or DT; empty where there is no such date.
std::string truncated(std::string_view value)
{
    auto date = shift_da(day_of(value), 0).value_or("");
    date.erase(std::remove(date.begin(), date.end(), '.'), date.end());
    return date;
}

/// Adds what values say, in every form that people write.
class Forms {
public:
    explicit Forms(TokenSearch& search) : search_(search) {}

    void add_name(std::string_view name)
    {
        for (const auto component : split(name, "\\=^")) {
            add_word(component, TokenKind::Name);
            for (const auto part : split(component, " -,._'")) {
                add_word(part, TokenKind::NamePart);
            }
        }
    }

    void add_ids(std::string_view values)
    {
        for (const auto value : split(values, "\\")) {
            add_word(value, TokenKind::Id);
            const auto significant = value.find_first_not_of('0');
            constexpr std::size_t telling = 6; // digits that are still a number when zeros in front are gone
            if (significant != value.npos && value.size() - significant >= telling) {
                add_word(value.substr(significant), TokenKind::Id);
            }
        }
    }

    void add_contact(std::string_view text)
    {
        constexpr std::size_t telling = 6;
        add_word(text, TokenKind::Contact);
        std::string digits;
        for (const auto part : split(text, "\\^, ;/()-.")) {
            if (part.size() >= telling) {
                add_word(part, TokenKind::Contact);
            }
            std::copy_if(part.begin(), part.end(), std::back_inserter(digits), [](char c) {
                return c >= '0' && c <= '9';
            });
        }
        if (digits.size() >= telling) {
            add_word(digits, TokenKind::Contact);
        }
    }

    void add_place(std::string_view place) { add_word(place, TokenKind::Place); }

    /// A date as people and devices write it.
    void add_date(std::string_view value)
    {
        const auto date = truncated(value);
        if (date.size() != 8 || date.substr(0, 4) < "1901") {
            return; // no full date, or a stand-in for one
        }
        const auto y = date.substr(0, 4);
        const auto m = date.substr(4, 2);
        const auto d = date.substr(6, 2);
        for (const auto& form :
             {fmt::format("{}{}{}", y, m, d), fmt::format("{}-{}-{}", y, m, d),
              fmt::format("{}.{}.{}", y, m, d), fmt::format("{}/{}/{}", y, m, d),
              fmt::format("{}.{}.{}", d, m, y), fmt::format("{}/{}/{}", d, m, y),
              fmt::format("{}/{}/{}", m, d, y), fmt::format("{}-{}-{}", d, m, y),
              fmt::format("{}-{}-{}", m, d, y)}) {
            search_.add(form, TokenKind::Date);
        }
    }

    void add_uids(std::string_view values)
    {
        for (const auto value : split(values, "\\")) {
            const auto uid = dicom::uid::trimmed(value);
            // Short ones are test data, or part of others.
            constexpr std::size_t telling = 10;
            if (uid.size() >= telling && !dicom::uid::is_well_known(uid)) {
                search_.add(uid, TokenKind::Uid);
            }
        }
    }

private:
    void add_word(std::string_view word, TokenKind kind)
    {
        while (!word.empty() && word.front() == ' ') {
            word.remove_prefix(1);
        }
        while (!word.empty() && word.back() == ' ') {
            word.remove_suffix(1);
        }
        const bool name = kind == TokenKind::Name || kind == TokenKind::NamePart;
        const bool weak = name && is_everyday(word);
        search_.add(word, kind, weak);
        if (word.find('\x1b') != word.npos) {
            search_.add(without_escapes(word), kind, weak);
        }
    }

    TokenSearch& search_;
};

/// The text as it stands, in UTF-8, and in the other forms that people write.
template <class Add>
void each_form(std::string_view value, std::string_view character_set, Add add)
{
    add(value);
    const CharacterSet characters{character_set};
    const auto utf8 = characters.to_utf8(value);
    auto forms = written_forms(utf8);
    forms.push_back(utf8);
    for (const auto& form : forms) {
        if (form != value) {
            add(form);
            if (const auto own = characters.from_utf8(form)) {
                add(*own);
            }
        }
    }
}

} // namespace

Gatherer::Kind Gatherer::kind_of(const Element& element)
{
    if (element.container || element.length < TokenSearch::shortest_name) {
        return Kind::None;
    }
    const auto vr = vr_of(element);
    return vr == vr::PN                                 ? Kind::Name
           : contains(id_tags, element.tag)             ? Kind::Id
           : contains(contact_tags, element.tag)        ? Kind::Contact
           : contains(place_tags, element.tag)          ? Kind::Place
           : vr == vr::DA || vr == vr::DT               ? Kind::Date
           : vr == vr::UI && !names_a_kind(element.tag) ? Kind::Uid
                                                        : Kind::None;
}

/// What makes two values say the same: of a date and time, the day.
template <class Take>
void Gatherer::each_essence(std::string_view value, Kind kind, Take take)
{
    value = dicom::uid::trimmed(value);
    if (kind != Kind::Date) {
        take(value);
        return;
    }
    for (const auto day : split(value, "\\")) {
        take(day_of(day));
    }
}

Gatherer::Gatherer(const dicom::Instance& instance, const Stays& stays) : index_(instance.data_set())
{
    std::set<std::string_view> staying;
    for (std::uint32_t i = 0; i < index_.size(); ++i) {
        const auto kind = kind_of(index_[i]);
        if (kind == Kind::None) {
            continue;
        }
        const bool stays_here = stays(i);
        each_essence(index_.value(index_[i]), kind, [&](std::string_view essence) {
            if (stays_here) {
                staying.insert(essence);
            } else {
                telling_.push_back({kind, essence, i});
            }
        });
    }
    std::erase_if(telling_, [&](const Telling& one) { return staying.contains(one.essence); });
}

std::string Gatherer::essence_of_people() const
{
    std::string all;
    for (const auto& [kind, essence, i] : telling_) {
        if (kind != Kind::Uid) {
            all += static_cast<char>(kind);
            for (const auto part : {essence, dicom::character_set_at(index_, i)}) {
                all += part;
                all += '\0';
            }
        }
    }
    return all;
}

void Gatherer::add_people(TokenSearch& search) const
{
    Forms forms{search};
    for (const auto& one : telling_) {
        const auto each = [&](auto add) {
            each_form(one.essence, dicom::character_set_at(index_, one.element), add);
        };
        switch (one.kind) {
        case Kind::Name:
            each([&](std::string_view form) { forms.add_name(form); });
            break;
        case Kind::Id:
            each([&](std::string_view form) { forms.add_ids(form); });
            break;
        case Kind::Contact:
            each([&](std::string_view form) { forms.add_contact(form); });
            break;
        case Kind::Place:
            each([&](std::string_view form) { forms.add_place(form); });
            break;
        case Kind::Date:
            forms.add_date(one.essence);
            break;
        case Kind::Uid:
        case Kind::None:
            break;
        }
    }
}

void Gatherer::add_uids(TokenSearch& search) const
{
    Forms forms{search};
    for (const auto& one : telling_) {
        if (one.kind == Kind::Uid) {
            forms.add_uids(one.essence);
        }
    }
}

} // namespace dcmpipe::deid
