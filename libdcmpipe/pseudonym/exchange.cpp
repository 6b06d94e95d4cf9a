#include "pseudonym/exchange.hpp"

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/json_file.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::pseudonym {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::pair<std::string_view, Format> format_names[]{
    {"receiver-json", Format::ReceiverJson},
    {"identity-db", Format::IdentityDb},
    {"new-ids", Format::NewIds},
    {"mapper", Format::Mapper},
    {"csv", Format::Csv},
};

[[noreturn]] void refuse(const fs::path& file, std::string_view reason)
{
    throw Error{ErrorKind::Usage, "cannot import", file.string(), reason};
}

/// What a lookup shows of the patient, as Table C.2-3's keywords and their values.
std::string particulars_of(
    const PatientIdentity& identity, const std::string& name = {}, const std::string& birth_date = {})
{
    Json json{{"PatientID", identity.id}};
    for (const auto& [keyword, value] :
         {std::pair{"IssuerOfPatientID", identity.issuer},
          {"PatientName", name},
          {"PatientBirthDate", birth_date}}) {
        if (!value.empty()) {
            json[keyword] = value;
        }
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const nlohmann::json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::string without_folder_prefix(std::string name)
{
    return name.starts_with("sub-") ? name.substr(4) : name;
}

/// {"patient_info": {StudyUID: {tag: original}}, "patient_name_map": {original name: code}, ...}, or the old
/// form without the outer levels, which knows no codes and so gives nobody.
std::vector<ImportedPatient> read_receiver_json(const fs::path& file, const std::string& issuer)
{
    const auto text = JsonText::from_file("the map file", file);
    const auto& root = text.root();
    if (!root.is_object() || !root.contains("patient_info") || !root.contains("patient_name_map")) {
        refuse(file, "it has no patient_name_map: the old form holds no codes, only dpipe-restore reads it");
    }
    const auto& codes = root["patient_name_map"];
    std::vector<ImportedPatient> patients;
    for (const auto& [study, info] : root["patient_info"].items()) {
        const auto id = text_of(info, "PatientID");
        const auto name = text_of(info, "PatientName");
        if (!id.empty() && codes.contains(name)) {
            patients.push_back(
                {{issuer, id},
                 codes[name].get<std::string>(),
                 {},
                 particulars_of({issuer, id}, name, text_of(info, "PatientBirthDate"))});
        }
    }
    return patients;
}

bool has_table(const SQLite::Database& database, const char* name)
{
    return database.tableExists(name);
}

/// dicom-anon has a table an attribute (patientid, patientsname, ...), ruby-dicom one a label (id, patient,
/// ...). dicom-anon numbers per study: a patient may have several codes, of which the first stays.
std::vector<ImportedPatient> read_identity_db(const fs::path& file, const std::string& issuer)
{
    try {
        const SQLite::Database database{file.string(), SQLite::OPEN_READONLY};
        const char* const table = has_table(database, "patientid") ? "patientid" : "id";
        if (!has_table(database, table)) {
            refuse(file, "it has neither a table patientid nor a table id");
        }
        std::vector<ImportedPatient> patients;
        SQLite::Statement select{
            database, fmt::format("SELECT original, cleaned FROM {} ORDER BY id", table)};
        while (select.executeStep()) {
            const auto id = select.getColumn(0).getString();
            patients.push_back(
                {{issuer, id}, select.getColumn(1).getString(), {}, particulars_of({issuer, id})});
        }
        return patients;
    } catch (const SQLite::Exception& error) {
        refuse(file, error.getErrorStr());
    }
}

std::vector<ImportedPatient> read_pairs(const fs::path& file, const std::string& issuer, bool code_first)
{
    const auto text = JsonText::from_file("the codes", file);
    if (!text.root().is_object()) {
        text.fail("", "must be an object of ids and codes");
    }
    std::vector<ImportedPatient> patients;
    for (const auto& [key, value] : text.root().items()) {
        if (!value.is_string()) {
            text.fail("/" + key, "must be a text");
        }
        const auto other = value.get<std::string>();
        const auto id = without_folder_prefix(code_first ? other : key);
        patients.push_back({{issuer, id}, code_first ? key : other, {}, particulars_of({issuer, id})});
    }
    return patients;
}

std::vector<ImportedPatient> read_csv_patients(const fs::path& file, const std::string& issuer)
{
    const auto table = read_csv(file);
    const auto column = [&](std::string_view name) {
        const auto found = std::find(table.header.begin(), table.header.end(), name);
        return static_cast<std::size_t>(found - table.header.begin());
    };
    if (column("PatientID") == table.header.size() || column("Code") == table.header.size()) {
        refuse(file, "it needs the columns PatientID and Code");
    }
    std::vector<ImportedPatient> patients;
    for (const auto& row : table.rows) {
        const auto cell = [&](std::string_view name) {
            return column(name) < row.cells.size() ? row.cells[column(name)] : std::string{};
        };
        std::optional<int> shift;
        if (const auto days = cell("ShiftDays"); !days.empty()) {
            int value = 0;
            if (std::from_chars(days.data(), days.data() + days.size(), value).ptr !=
                days.data() + days.size()) {
                refuse(file, fmt::format("row {}: ShiftDays is no whole number", row.number));
            }
            shift = -value;
        }
        const auto own_issuer = cell("Issuer");
        const PatientIdentity identity{own_issuer.empty() ? issuer : own_issuer, cell("PatientID")};
        patients.push_back(
            {identity, cell("Code"), shift,
             particulars_of(identity, cell("PatientName"), cell("PatientBirthDate"))});
    }
    return patients;
}

nlohmann::json opened(const KnownPatient& known)
{
    auto json = nlohmann::json::parse(known.particulars, nullptr, false);
    return json.is_object() ? json : nlohmann::json::object();
}

} // namespace

Format format_from(std::string_view name)
{
    std::string known;
    for (const auto& [word, format] : format_names) {
        if (word == name) {
            return format;
        }
        known += (known.empty() ? "" : ", ") + std::string{word};
    }
    throw Error{ErrorKind::Usage, "unknown format", name, "one of: " + known};
}

std::vector<ImportedPatient> read_patients(Format format, const fs::path& file, const std::string& issuer)
{
    auto patients = format == Format::ReceiverJson ? read_receiver_json(file, issuer)
                    : format == Format::IdentityDb ? read_identity_db(file, issuer)
                    : format == Format::Csv        ? read_csv_patients(file, issuer)
                                                   : read_pairs(file, issuer, format == Format::Mapper);
    const bool whole = std::all_of(patients.begin(), patients.end(), [](const ImportedPatient& p) {
        return !p.identity.id.empty() && !p.code.empty();
    });
    if (!whole) {
        refuse(file, "a patient has no id or no code");
    }
    return patients;
}

std::string write_patients(Format format, const std::vector<KnownPatient>& patients)
{
    if (format == Format::IdentityDb) {
        throw Error{ErrorKind::Usage, "identity-db can be imported, not exported"};
    }
    if (format == Format::Csv) {
        auto text = csv_line({"PatientID", "Issuer", "Code", "ShiftDays", "PatientName", "PatientBirthDate"});
        for (const auto& known : patients) {
            const auto json = opened(known);
            text += csv_line(
                {text_of(json, "PatientID"), text_of(json, "IssuerOfPatientID"), known.patient.code,
                 std::to_string(-known.patient.shift_days), text_of(json, "PatientName"),
                 text_of(json, "PatientBirthDate")});
        }
        return text;
    }
    Json out = Json::object();
    for (const auto& known : patients) {
        const auto json = opened(known);
        const auto id = text_of(json, "PatientID");
        if (format == Format::NewIds) {
            out["sub-" + id] = known.patient.code;
        } else if (format == Format::Mapper) {
            out[known.patient.code] = id;
        } else {
            out["patient_name_map"][text_of(json, "PatientName")] = known.patient.code;
        }
    }
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string write_day_shifts(const std::vector<KnownPatient>& patients)
{
    Json out = Json::object();
    for (const auto& known : patients) {
        out[text_of(opened(known), "PatientID")] = -known.patient.shift_days;
    }
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace dcmpipe::pseudonym
