#include "pseudonym/exchange.hpp"

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"

#include <functional>
#include <map>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace dcmpipe::pseudonym {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
using Json = nlohmann::ordered_json;
using Patients = std::vector<KnownPatient>;
using Studies = std::vector<KnownStudy>;

namespace {

/// What the DICOM Receiver replaces unless told otherwise (row DR-06).
constexpr dicom::Tag receiver_tags[]{
    tags::PatientName,
    tags::PatientID,
    tags::PatientBirthDate,
    tags::PatientAddress,
    tags::PatientTelephoneNumbers,
    tags::OtherPatientIDs,
    tags::OtherPatientNames,
};

Json opened(const KnownPatient& known)
{
    auto json = Json::parse(known.particulars, nullptr, false);
    return json.is_object() ? json : Json::object();
}

std::string text_of(const Json& json, const char* key)
{
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::string dumped(const Json& json)
{
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string csv(const Patients& patients)
{
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

using Pair = std::function<void(Json& into, const std::string& id, const Patient& patient)>;

std::string pairs(const Patients& patients, const Pair& add)
{
    auto json = Json::object();
    for (const auto& known : patients) {
        add(json, text_of(opened(known), "PatientID"), known.patient);
    }
    return dumped(json);
}

/// {StudyUID: {keyword: original}}
Json receiver_info(const Studies& studies)
{
    auto info = Json::object();
    for (const auto& study : studies) {
        auto& values = info[study.uid] = Json::object();
        for (const auto tag : receiver_tags) {
            if (const auto value = original_text(study.originals, tag); !value.empty()) {
                values[dicom::dictionary::name_of(tag)] = value;
            }
        }
    }
    return info;
}

std::string receiver_json(const Patients& patients, const Studies& studies)
{
    Json json{
        {"patient_info", receiver_info(studies)},
        {"patient_name_map", Json::object()},
        {"patient_study_map", Json::object()}};
    for (const auto& known : patients) {
        json["patient_name_map"][text_of(opened(known), "PatientName")] = known.patient.code;
    }
    for (const auto& study : studies) {
        json["patient_study_map"][original_text(study.originals, tags::PatientID)].push_back(study.uid);
    }
    return dumped(json);
}

/// How an identity.db names its tables.
struct IdentityTables {
    const char* id;
    const char* name;
    const char* study;
};

constexpr IdentityTables dicom_anon{"patientid", "patientsname", "studyinstanceuid"};
constexpr IdentityTables ruby_dicom{"id", "patient", "studyuid"};

class IdentityTable {
public:
    IdentityTable(SQLite::Database& database, const char* name) : database_(database), name_(name)
    {
        database_.exec(fmt::format(
            "CREATE TABLE {} (id INTEGER PRIMARY KEY AUTOINCREMENT, original, cleaned, study INTEGER, date)",
            name_));
    }

    void add(const std::string& original, const std::string& cleaned)
    {
        SQLite::Statement insert{
            database_, fmt::format("INSERT INTO {} (original, cleaned) VALUES (?, ?)", name_)};
        insert.bind(1, original);
        insert.bind(2, cleaned);
        insert.exec();
    }

private:
    SQLite::Database& database_;
    const char* name_;
};

void fill(
    SQLite::Database& database, const IdentityTables& names, const Patients& patients, const Studies& studies)
{
    SQLite::Transaction transaction{database};
    IdentityTable ids{database, names.id};
    IdentityTable people{database, names.name};
    IdentityTable uids{database, names.study};
    for (const auto& known : patients) {
        const auto json = opened(known);
        ids.add(text_of(json, "PatientID"), known.patient.code);
        people.add(text_of(json, "PatientName"), known.patient.code);
    }
    for (const auto& study : studies) {
        uids.add(original_text(study.originals, tags::StudyInstanceUID), study.uid);
    }
    transaction.commit();
}

/// SQLite writes by name: into a hidden file of ours, which takes the name when it is whole.
void write_identity_db(
    const fs::path& file, const IdentityTables& names, const Patients& patients, const Studies& studies)
{
    const auto folder = file.has_parent_path() ? file.parent_path() : fs::path{"."};
    const auto unfinished = folder / fmt::format(".{}.{}.part", file.filename().string(), ::getpid());
    const Fd made{::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!made) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", file.string());
    }
    try {
        {
            SQLite::Database database{unfinished.string(), SQLite::OPEN_READWRITE};
            fill(database, names, patients, studies);
        }
        fs::rename(unfinished, file);
    } catch (const std::exception& error) {
        ::unlink(unfinished.c_str());
        throw Error{ErrorKind::Output, "cannot write", file.string(), error.what()};
    }
    sync_folder(folder);
}

std::string text_in(Format format, const Patients& patients, const Studies& studies)
{
    switch (format) {
    case Format::ReceiverJson:
        return receiver_json(patients, studies);
    case Format::ReceiverFlat:
        return dumped(receiver_info(studies));
    case Format::NewIds:
        return pairs(
            patients, [](Json& into, const auto& id, const Patient& p) { into["sub-" + id] = p.code; });
    case Format::Mapper:
        return pairs(patients, [](Json& into, const auto& id, const Patient& p) { into[p.code] = id; });
    case Format::DayShift:
        return pairs(
            patients, [](Json& into, const auto& id, const Patient& p) { into[id] = -p.shift_days; });
    case Format::Csv:
        return csv(patients);
    default:
        throw Error{ErrorKind::Usage, "anontrail can be imported, not exported"};
    }
}

} // namespace

bool has_studies(Format format)
{
    return format == Format::ReceiverJson || format == Format::ReceiverFlat || format == Format::IdentityDb ||
           format == Format::IdentityDbRuby;
}

void write_link_data(Format format, const fs::path& file, const Patients& patients, const Studies& studies)
{
    if (format == Format::IdentityDb || format == Format::IdentityDbRuby) {
        write_identity_db(file, format == Format::IdentityDb ? dicom_anon : ruby_dicom, patients, studies);
    } else {
        write_text_file(file, text_in(format, patients, studies), 0600);
    }
}

} // namespace dcmpipe::pseudonym
