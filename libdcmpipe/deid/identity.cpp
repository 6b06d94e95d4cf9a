#include "deid/identity.hpp"

#include "deid/dates.hpp"
#include "deid/letters.hpp"
#include "deid/rules.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

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

/// Adds what one data set says, element by element, in the character set of the item it stands in.
class Gatherer {
public:
    Gatherer(const dicom::Instance& instance, const Identity::Stays& stays, TokenSearch& search)
        : index_(instance.data_set()), search_(search)
    {
        for (std::uint32_t i = 0; i < index_.size(); ++i) {
            const auto kind = kind_of(index_[i]);
            if (kind == Kind::None) {
                continue;
            }
            if (stays(i)) {
                staying_.insert(essence(i, kind));
            } else {
                telling_.emplace_back(i, kind);
            }
        }
    }

    void run()
    {
        for (const auto& [i, kind] : telling_) {
            if (!staying_.contains(essence(i, kind))) {
                gather(i, kind);
            }
        }
    }

private:
    enum class Kind { None, Name, Id, Contact, Place, Date, Uid };

    static Kind kind_of(const Element& element)
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
    std::string_view essence(std::uint32_t i, Kind kind) const
    {
        const auto value = dicom::uid::trimmed(index_.value(index_[i]));
        constexpr std::size_t day = 8;
        return kind == Kind::Date ? value.substr(0, day) : value;
    }

    void gather(std::uint32_t i, Kind kind)
    {
        const auto value = dicom::uid::trimmed(index_.value(index_[i]));
        switch (kind) {
        case Kind::Name:
            each_form(value, i, [&](std::string_view form) { add_name(form); });
            break;
        case Kind::Id:
            each_form(value, i, [&](std::string_view form) { add_values(form, TokenKind::Id); });
            break;
        case Kind::Contact:
            each_form(value, i, [&](std::string_view form) { add_contact(form); });
            break;
        case Kind::Place:
            each_form(value, i, [&](std::string_view form) { add_word(form, TokenKind::Place); });
            break;
        case Kind::Date:
            add_dates(value);
            break;
        case Kind::Uid:
            add_uids(value);
            break;
        case Kind::None:
            break;
        }
    }

    static dicom::Vr vr_of(const Element& element)
    {
        const auto* const known = dicom::dictionary::find(element.tag);
        return known != nullptr ? known->vr : element.vr;
    }

    /// The text as it stands, in UTF-8, and in the other forms that people write. An item may have a
    /// character set of its own (PS3.3 §C.12.1.1.2).
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

    void add_name(std::string_view name)
    {
        for (const auto component : split(name, "\\=^")) {
            add_word(component, TokenKind::Name);
            for (const auto part : split(component, " -,._'")) {
                add_word(part, TokenKind::NamePart);
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
        const bool name = kind == TokenKind::Name || kind == TokenKind::NamePart;
        const bool weak = name && is_everyday(word);
        search_.add(word, kind, weak);
        if (word.find('\x1b') != word.npos) {
            search_.add(without_escapes(word), kind, weak);
        }
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
    TokenSearch& search_;
    std::string_view last_dates_;
    std::set<std::string_view> staying_;
    std::vector<std::pair<std::uint32_t, Kind>> telling_;
};

} // namespace

bool is_everyday(std::string_view word)
{
    const auto lower = folded(word);
    return std::find(std::begin(everyday_words), std::end(everyday_words), lower) != std::end(everyday_words);
}

Identity Identity::of(const dicom::Instance& instance, const Stays& stays)
{
    Identity identity;
    Gatherer{instance, stays, identity.search_}.run();
    return identity;
}

} // namespace dcmpipe::deid
