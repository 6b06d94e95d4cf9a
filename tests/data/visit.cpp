#include "visit.hpp"

#include "text.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

/// 2.25. and 128 bits as a decimal number (PS3.5 §B.2).
std::string uid_of(std::uint64_t high, std::uint64_t low)
{
    __extension__ using Number = unsigned __int128;
    auto rest = static_cast<Number>(high) << 64U | low;
    std::string digits;
    do {
        digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
        rest /= 10;
    } while (rest != 0);
    return "2.25." + digits;
}

std::string with_name(std::string_view sentence, std::string_view name)
{
    const auto place = sentence.find("{}");
    return std::string{sentence.substr(0, place)} + std::string{name} +
           std::string{sentence.substr(place + 2)};
}

} // namespace

Visit::Visit(std::size_t index, unsigned number, std::uint64_t seed, Ledger& ledger)
    : person_(people()[index]), ledger_(ledger),
      patient_seed_(Random{seed, fmt::format("patient {}", index)}.next()),
      study_seed_(Random{seed, fmt::format("study {}", number)}.next())
{
    auto random = this->random("date and time");
    date_ =
        fmt::format("{}{:02}{:02}", random.between(2014, 2023), random.between(1, 12), random.between(1, 28));
    start_ = random.between(7 * 60, 20 * 60);
    patient_id_ =
        person_.patient_id.empty() ? "P" + patient_number("patient id", 8) : std::string{person_.patient_id};
}

std::string Visit::time(unsigned minutes_later) const
{
    const auto minutes = start_ + minutes_later;
    return fmt::format(
        "{:02}{:02}{:02}.{:06}", minutes / 60, minutes % 60, study_seed_ % 60, study_seed_ % 999'983);
}

void Visit::put(DcmItem& item, const DcmTag& tag, Identity kind, std::string_view utf8)
{
    put_in(item, tag, kind, utf8, person_.character_set);
}

void Visit::put_in(
    DcmItem& item, const DcmTag& tag, Identity kind, std::string_view utf8, std::string_view character_set)
{
    const auto bytes = encode_text(utf8, character_set);
    DcmTag copy{tag};
    const std::string keyword = copy.getTagName();
    set(item, tag, bytes);
    ledger_.identity(patient_id_, {kind, keyword, std::string{utf8}, bytes, std::string{character_set}});
    if (kind == Identity::Name) {
        note_components(keyword, utf8, character_set);
    }
}

void Visit::note(Identity kind, std::string_view where, std::string_view utf8, std::string_view bytes)
{
    ledger_.identity(patient_id_, {kind, std::string{where}, std::string{utf8}, std::string{bytes}});
}

/// A surname alone gives a person away as well; a piece of a few bytes would be found by chance.
void Visit::note_components(std::string_view keyword, std::string_view name, std::string_view character_set)
{
    while (!name.empty()) {
        const auto end = std::min(name.find_first_of("^=\\"), name.size());
        const auto component = name.substr(0, end);
        const auto bytes = encode_text(component, character_set);
        const auto bare = without_outer_escapes(bytes);
        if (bare.size() >= 5) {
            const Ledger::Value part{
                Identity::Name, std::string{keyword}, std::string{component}, std::string{bare}};
            ledger_.identity(patient_id_, part);
        }
        name.remove_prefix(std::min(end + 1, name.size()));
    }
}

std::string Visit::uid(std::string_view name) const
{
    auto random = this->random(name);
    const auto high = random.next();
    return uid_of(high, random.next());
}

void Visit::put_uid(DcmItem& item, const DcmTag& tag, std::string_view name)
{
    put_in(item, tag, Identity::Uid, uid(name), "");
}

std::string Visit::patient_number(std::string_view name, unsigned digits) const
{
    return Random{patient_seed_, name}.digits(digits);
}

std::string Visit::study_number(std::string_view name, unsigned digits) const
{
    return random(name).digits(digits);
}

std::string Visit::complaint() const
{
    // The ideographic group where there is one: it is what stands in running text.
    const auto group = person_.name.find('=');
    const auto name = person_.name.substr(group == std::string_view::npos ? 0 : group + 1);
    return with_name(person_.complaint, name.substr(0, name.find('^')));
}

} // namespace studies
