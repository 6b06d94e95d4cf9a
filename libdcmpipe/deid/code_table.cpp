#include "deid/code_table.hpp"

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/json_file.hpp"
#include "dicom/layout.hpp"

#include <algorithm>
#include <charconv>

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
    if (file.extension() == ".csv") {
        add_csv_codes(file);
        return;
    }
    const auto text = JsonText::from_file("the codes", file);
    for (const auto& [key, value] : object_of(text).items()) {
        const auto why = add_code({{}, key}, value.is_string() ? value.get<std::string>() : std::string{});
        if (!why.empty()) {
            text.fail(pointer_to(key), why);
        }
    }
}

void CodeTable::add_csv_codes(const std::filesystem::path& file)
{
    const auto table = read_csv(file);
    const auto column = [&](std::string_view name) {
        const auto found = std::find(table.header.begin(), table.header.end(), name);
        return static_cast<std::size_t>(found - table.header.begin());
    };
    const auto id = column("PatientID");
    const auto code = column("Code");
    const auto issuer = column("Issuer");
    if (id == table.header.size() || code == table.header.size()) {
        throw Error{
            ErrorKind::Usage, "cannot read the codes", file.string(), "needs columns PatientID and Code"};
    }
    for (const auto& row : table.rows) {
        const auto cell = [&](std::size_t i) { return i < row.cells.size() ? row.cells[i] : std::string{}; };
        const auto why = cell(id).empty() ? "no PatientID" : add_code({cell(issuer), cell(id)}, cell(code));
        if (!why.empty()) {
            throw Error{
                ErrorKind::Usage, "cannot read the codes", file.string(),
                fmt::format("row {}: {}", row.number, why)};
        }
    }
}

/// Why it cannot be added; empty where it was.
std::string CodeTable::add_code(const pseudonym::PatientIdentity& patient, const std::string& code)
{
    if (code.empty() || dicom::safe_name(code) != code) {
        return "a code must be a text that can name a folder";
    }
    auto& codes = patient.issuer.empty() ? codes_ : codes_of_issuers_[patient.issuer];
    const auto [there, added] = codes.try_emplace(patient.id, code);
    if (!added) {
        return there->second == code ? "" : "this patient has two codes";
    }
    return given_.insert(code).second ? "" : fmt::format("the code {} stands for two patients", code);
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
    if (const auto issuer = codes_of_issuers_.find(patient.issuer); issuer != codes_of_issuers_.end()) {
        if (const auto found = find_patient(issuer->second, patient.id); found != issuer->second.end()) {
            return found->second;
        }
    }
    const auto found = find_patient(codes_, patient.id);
    return found != codes_.end() ? std::optional{found->second} : std::nullopt;
}

std::optional<int> CodeTable::shift_days_of(const pseudonym::PatientIdentity& patient) const
{
    const auto found = find_patient(shifts_, patient.id);
    return found != shifts_.end() ? std::optional{-found->second} : std::nullopt;
}

} // namespace dcmpipe::deid
