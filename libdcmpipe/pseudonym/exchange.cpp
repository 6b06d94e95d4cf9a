#include "pseudonym/exchange.hpp"

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/json_file.hpp"
#include "dicom/layout.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <sstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::pseudonym {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::pair<std::string_view, Format> format_names[]{
    {"receiver-json", Format::ReceiverJson},
    {"receiver-json-flat", Format::ReceiverFlat},
    {"identity-db", Format::IdentityDb},
    {"identity-db-ruby", Format::IdentityDbRuby},
    {"new-ids", Format::NewIds},
    {"mapper", Format::Mapper},
    {"day-shift", Format::DayShift},
    {"anontrail", Format::AnonTrail},
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

std::string without_folder_prefix(const std::string& name)
{
    return name.starts_with("sub-") ? name.substr(4) : name;
}

std::optional<int> whole_number(std::string_view digits)
{
    int value = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, value);
    return stopped == end && error == std::errc{} ? std::optional{value} : std::nullopt;
}

/// {"ID": [StudyUID]}, the other way round.
std::map<std::string, std::string> ids_by_study(const nlohmann::json& root)
{
    std::map<std::string, std::string> ids;
    const auto studies = root.value("patient_study_map", nlohmann::json::object());
    for (const auto& [id, uids] : studies.items()) {
        for (const auto& uid : uids.is_array() ? uids : nlohmann::json::array()) {
            if (uid.is_string()) {
                ids.emplace(uid.get<std::string>(), id);
            }
        }
    }
    return ids;
}

/// {"patient_info": {StudyUID: {tag: original}}, "patient_name_map": {original name: code}, ...}, or the old
/// form without the outer levels, which knows no codes.
std::vector<ImportedPatient> read_receiver_json(const fs::path& file, const std::string& issuer)
{
    const auto text = JsonText::from_file("the map file", file);
    const auto& root = text.root();
    if (!root.is_object() || !root.contains("patient_info") || !root.contains("patient_name_map")) {
        refuse(file, "it has no patient_name_map: the old form holds no codes, only dpipe-restore reads it");
    }
    const auto& codes = root["patient_name_map"];
    const auto ids = ids_by_study(root);
    std::vector<ImportedPatient> patients;
    for (const auto& [study, info] : root["patient_info"].items()) {
        auto id = text_of(info, "PatientID");
        if (const auto by_study = ids.find(study); id.empty() && by_study != ids.end()) {
            id = by_study->second; // the receiver was told not to replace Patient IDs
        }
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

/// PACSIFIER knows a patient by the name of their folder: `sub-` and what its rules leave of the Patient ID.
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
        const auto& name = code_first ? other : key;
        const auto id = without_folder_prefix(name);
        patients.push_back(
            {{issuer, id},
             code_first ? key : other,
             {},
             particulars_of({issuer, id}),
             code_first || id != name});
    }
    return patients;
}

/// {"original": {"patient_id": ID, ...}, "anonymized": {"patient_id": CODE, ...}}, once an image.
std::vector<ImportedPatient> read_anon_trail(const fs::path& file, const std::string& issuer)
{
    std::vector<ImportedPatient> patients;
    std::set<std::pair<std::string, std::string>> seen;
    std::istringstream lines{read_text_file(file)};
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (line.empty()) {
            continue;
        }
        const auto json = nlohmann::json::parse(line, nullptr, false);
        if (!json.is_object() || !json.contains("original") || !json.contains("anonymized")) {
            refuse(file, fmt::format("line {}: neither original nor anonymized ids", number));
        }
        const auto id = text_of(json["original"], "patient_id");
        const auto code = text_of(json["anonymized"], "patient_id");
        if (seen.emplace(id, code).second) {
            patients.push_back({{issuer, id}, code, {}, particulars_of({issuer, id})});
        }
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
            shift = whole_number(days);
            if (!shift) {
                refuse(file, fmt::format("row {}: ShiftDays is no whole number", row.number));
            }
            shift = -*shift;
        }
        const auto own_issuer = cell("Issuer");
        const PatientIdentity identity{own_issuer.empty() ? issuer : own_issuer, cell("PatientID")};
        patients.push_back(
            {identity, cell("Code"), shift,
             particulars_of(identity, cell("PatientName"), cell("PatientBirthDate"))});
    }
    return patients;
}

std::vector<ImportedPatient> read_format(Format format, const fs::path& file, const std::string& issuer)
{
    switch (format) {
    case Format::ReceiverJson:
    case Format::ReceiverFlat:
        return read_receiver_json(file, issuer);
    case Format::IdentityDb:
    case Format::IdentityDbRuby:
        return read_identity_db(file, issuer);
    case Format::NewIds:
        return read_pairs(file, issuer, false);
    case Format::Mapper:
        return read_pairs(file, issuer, true);
    case Format::DayShift:
        refuse(file, "it holds no codes: give it as --day-shift beside the file that does");
    case Format::AnonTrail:
        return read_anon_trail(file, issuer);
    case Format::Csv:
        break;
    }
    return read_csv_patients(file, issuer);
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
    auto patients = read_format(format, file, issuer);
    const bool whole = std::all_of(patients.begin(), patients.end(), [](const ImportedPatient& p) {
        return !p.identity.id.empty() && !p.code.empty();
    });
    if (!whole) {
        refuse(file, "a patient has no id or no code");
    }
    return patients;
}

void add_day_shifts(std::vector<ImportedPatient>& patients, const fs::path& file)
{
    const auto text = JsonText::from_file("the day shifts", file);
    if (!text.root().is_object()) {
        text.fail("", "must be an object of Patient IDs and days");
    }
    std::map<std::string, int> shifts;
    for (const auto& [key, value] : text.root().items()) {
        const auto digits = value.is_string() ? value.get<std::string>() : value.dump();
        const auto days = whole_number(digits);
        if (!days) {
            text.fail("/" + key, "a shift must be a whole number of days");
        }
        shifts.emplace(dicom::pacsifier_name(without_folder_prefix(key)), -*days);
    }
    for (auto& patient : patients) {
        const auto found = shifts.find(dicom::pacsifier_name(patient.identity.id));
        if (found != shifts.end()) {
            patient.shift_days = found->second;
        }
    }
}

} // namespace dcmpipe::pseudonym
