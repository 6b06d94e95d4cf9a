#include "deid/identity.hpp"

#include "deid/dates.hpp"
#include "deid/rules.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::CharacterSet;
using dicom::Element;
using dicom::ElementIndex;
using dicom::Tag;

namespace {

constexpr std::string_view everyday_words[] = {
#include "deid/everyday_words.inc"
};

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

template <class Tags>
bool contains(const Tags& list, Tag tag)
{
    return std::find(list.begin(), list.end(), tag) != list.end();
}

bool is_everyday(std::string_view word)
{
    const auto lower = folded(word);
    return std::find(std::begin(everyday_words), std::end(everyday_words), lower) != std::end(everyday_words);
}

/// The other case of the letters beyond ASCII that have one: Latin, Greek and Cyrillic, in UTF-8.
std::string other_case(std::string_view text, bool upper)
{
    std::string changed;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0xc3 || lead > 0xd1 || i + 1 == text.size()) {
            changed += text[i];
            continue;
        }
        unsigned code = (lead & 0x1fU) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3fU);
        const auto swap = [&](unsigned first, unsigned last, unsigned distance) {
            if (upper && code >= first + distance && code <= last + distance) {
                code -= distance;
                return true;
            }
            if (!upper && code >= first && code <= last) {
                code += distance;
                return true;
            }
            return false;
        };
        if (code >= 0x100 && code <= 0x17f) {
            code = upper ? code & ~1U : code | 1U;
        } else {
            swap(0xc0, 0xde, 0x20) || swap(0x391, 0x3a9, 0x20) || swap(0x400, 0x40f, 0x50) ||
                swap(0x410, 0x42f, 0x20);
        }
        changed += static_cast<char>(0xc0U | code >> 6U);
        changed += static_cast<char>(0x80U | (code & 0x3fU));
    }
    return changed;
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

/// Adds what one data set says, element by element, in the character set of the item it stands in.
class Gatherer {
public:
    Gatherer(const dicom::Instance& instance, Identity::What what, TokenSearch& search)
        : index_(instance.data_set()), what_(what), search_(search)
    {
    }

    void run()
    {
        for (std::uint32_t i = 0; i < index_.size(); ++i) {
            const Element& element = index_[i];
            if (!element.container && element.length >= TokenSearch::shortest) {
                gather(i);
            }
        }
    }

private:
    void gather(std::uint32_t i)
    {
        const Element& element = index_[i];
        const auto vr = vr_of(element);
        const auto value = dicom::uid::trimmed(index_.value(element));
        if (vr == vr::PN) {
            each_form(value, i, [&](std::string_view form) { add_name(form); });
        } else if (contains(id_tags, element.tag)) {
            each_form(value, i, [&](std::string_view form) { add_values(form, TokenKind::Id); });
        } else if (contains(contact_tags, element.tag)) {
            each_form(value, i, [&](std::string_view form) { add_contact(form); });
        } else if ((vr == vr::DA || vr == vr::DT) && (what_.dates || element.tag == tags::PatientBirthDate)) {
            add_dates(value);
        } else if (vr == vr::UI && what_.uids && !names_a_kind(element.tag)) {
            add_uids(value);
        }
    }

    static dicom::Vr vr_of(const Element& element)
    {
        const auto* const known = dicom::dictionary::find(element.tag);
        return known != nullptr ? known->vr : element.vr;
    }

    /// The text as it stands, in UTF-8, and in the other cases of its letters. An item may have a character
    /// set of its own (PS3.3 §C.12.1.1.2).
    template <class Add>
    void each_form(std::string_view value, std::uint32_t i, Add add)
    {
        add(value);
        std::string_view set;
        for (auto at = index_[i].parent;; at = index_[at].parent) {
            if (at == ElementIndex::None || index_[at].is_item()) {
                set = index_.text(tags::SpecificCharacterSet, at);
            }
            if (at == ElementIndex::None || !set.empty()) {
                break;
            }
        }
        const CharacterSet characters{set};
        const auto utf8 = characters.to_utf8(value);
        for (const auto& form : {utf8, other_case(utf8, true), other_case(utf8, false)}) {
            if (form != value) {
                add(form);
                if (const auto own = characters.from_utf8(form)) {
                    add(*own);
                }
            }
        }
    }

    void add_name(std::string_view name)
    {
        for (const auto component : split(name, "\\=^")) {
            add_word(component, TokenKind::Name);
            for (const auto part : split(component, " -,._'")) {
                add_word(part, TokenKind::Name);
            }
        }
    }

    void add_values(std::string_view values, TokenKind kind)
    {
        for (const auto value : split(values, "\\")) {
            add_word(value, kind);
            const auto significant = value.find_first_not_of('0');
            constexpr std::size_t telling = 6; // digits that are still a number when zeros in front are gone
            if (significant != value.npos && value.size() - significant >= telling) {
                add_word(value.substr(significant), kind);
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

    void add_word(std::string_view word, TokenKind kind)
    {
        while (!word.empty() && word.front() == ' ') {
            word.remove_prefix(1);
        }
        while (!word.empty() && word.back() == ' ') {
            word.remove_suffix(1);
        }
        search_.add(word, kind, kind == TokenKind::Name && is_everyday(word));
    }

    /// A date as people and devices write it.
    void add_dates(std::string_view values)
    {
        // Study, series, acquisition and content are of one day, as a rule.
        if (values == last_dates_) {
            return;
        }
        last_dates_ = values;
        for (const auto value : split(values, "\\")) {
            const auto date = truncated(value);
            if (date.size() != 8 || date.substr(0, 4) < "1901") {
                continue; // no full date, or a stand-in for one
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
    }

    /// YYYYMMDD out of a DA or DT; empty where there is no such date.
    static std::string truncated(std::string_view value)
    {
        const auto day = value.size() >= 10 && value[4] == '.' ? value.substr(0, 10) : value.substr(0, 8);
        auto date = shift_da(day, 0).value_or("");
        date.erase(std::remove(date.begin(), date.end(), '.'), date.end());
        return date;
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

    const ElementIndex& index_;
    Identity::What what_;
    TokenSearch& search_;
    std::string_view last_dates_;
};

} // namespace

Identity Identity::of(const dicom::Instance& instance, What what)
{
    Identity identity;
    Gatherer{instance, what, identity.search_}.run();
    return identity;
}

} // namespace dcmpipe::deid
