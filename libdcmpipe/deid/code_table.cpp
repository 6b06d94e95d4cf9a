#include "deid/code_table.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "dicom/layout.hpp"

#include <charconv>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::deid {

namespace {

template <class Table>
auto find_patient(const Table& table, std::string_view id)
{
    for (const auto& key : {std::string{id}, "sub-" + std::string{id}, "sub-" + dicom::pacsifier_name(id)}) {
        const auto found = table.find(key);
        if (found != table.end()) {
            return found;
        }
    }
    return table.end();
}

const nlohmann::json& object_of(const JsonText& text)
{
    if (!text.root().is_object()) {
        text.fail("", "must be an object of Patient IDs and what stands for them");
    }
    return text.root();
}

/// `~` and `/` are escaped in a pointer (RFC 6901).
std::string pointer_to(const std::string& key)
{
    return "/" + key;
}

} // namespace

void CodeTable::add_codes(const std::filesystem::path& file)
{
    const auto text = JsonText::from_file("the codes", file);
    std::set<std::string> given;
    for (const auto& [key, value] : object_of(text).items()) {
        const auto code = value.is_string() ? value.get<std::string>() : std::string{};
        if (code.empty() || dicom::safe_name(code) != code) {
            text.fail(pointer_to(key), "a code must be a text that can name a folder");
        }
        if (!given.insert(code).second) {
            text.fail(pointer_to(key), fmt::format("the code {} stands for two patients", code));
        }
        codes_.insert_or_assign(key, code);
    }
}

void CodeTable::add_day_shifts(const std::filesystem::path& file)
{
    const auto text = JsonText::from_file("the day shifts", file);
    for (const auto& [key, value] : object_of(text).items()) {
        const auto digits = value.is_string() ? value.get<std::string>() : value.dump();
        int days = 0;
        const auto* const end = digits.data() + digits.size();
        if (std::from_chars(digits.data(), end, days).ptr != end || digits.empty()) {
            text.fail(pointer_to(key), "a shift must be a whole number of days");
        }
        shifts_.insert_or_assign(key, days);
    }
}

std::optional<std::string> CodeTable::code_of(const pseudonym::PatientIdentity& patient) const
{
    const auto found = find_patient(codes_, patient.id);
    return found != codes_.end() ? std::optional{found->second} : std::nullopt;
}

std::optional<int> CodeTable::shift_days_of(const pseudonym::PatientIdentity& patient) const
{
    const auto found = find_patient(shifts_, patient.id);
    return found != shifts_.end() ? std::optional{-found->second} : std::nullopt;
}

} // namespace dcmpipe::deid
