#include "deid/foreign_map.hpp"

#include "core/error.hpp"
#include "core/file_bytes.hpp"
#include "core/json_file.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"

#include <algorithm>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::deid {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
using dicom::Tag;

namespace {

/// ruby-dicom's labels; dicom-anon names its tables by the letters of the attribute's name.
constexpr std::pair<std::string_view, Tag> labels[]{
    {"accession", tags::AccessionNumber},
    {"institution", tags::InstitutionName},
    {"instaddress", tags::InstitutionAddress},
    {"physician", tags::ReferringPhysicianName},
    {"physaddr", tags::ReferringPhysicianAddress},
    {"physphoner", tags::ReferringPhysicianTelephoneNumbers},
    {"physofrecord", tags::PhysiciansOfRecord},
    {"perfphysname", tags::PerformingPhysicianName},
    {"readphysname", tags::NameOfPhysiciansReadingStudy},
    {"operator", tags::OperatorsName},
    {"station", tags::StationName},
    {"patient", tags::PatientName},
    {"patientbname", tags::PatientBirthName},
    {"id", tags::PatientID},
    {"studyuid", tags::StudyInstanceUID},
    {"accessionnumber", tags::AccessionNumber},
    {"institutionname", tags::InstitutionName},
    {"institutionaddress", tags::InstitutionAddress},
    {"referringphysiciansname", tags::ReferringPhysicianName},
    {"performingphysiciansname", tags::PerformingPhysicianName},
    {"operatorsname", tags::OperatorsName},
    {"stationname", tags::StationName},
    {"patientsname", tags::PatientName},
    {"patientid", tags::PatientID},
    {"patientsbirthname", tags::PatientBirthName},
    {"studyinstanceuid", tags::StudyInstanceUID},
    {"seriesinstanceuid", tags::SeriesInstanceUID},
    {"sopinstanceuid", tags::SOPInstanceUID},
    {"studyid", tags::StudyID},
    {"studydate", tags::StudyDate},
    {"patientsbirthdate", tags::PatientBirthDate},
};

[[noreturn]] void refuse(const fs::path& file, std::string_view reason)
{
    throw Error{ErrorKind::Usage, "cannot read the map file", file.string(), reason};
}

bool is_sqlite(const fs::path& file)
{
    try {
        return FileBytes::open(file).view().starts_with("SQLite format 3");
    } catch (const Error& error) {
        refuse(file, error.reason());
    }
}

} // namespace

ForeignMap::ForeignMap(const fs::path& file)
{
    if (is_sqlite(file)) {
        try {
            const SQLite::Database database{file.string(), SQLite::OPEN_READONLY};
            for (const auto& [table, tag] : labels) {
                if (!database.tableExists(std::string{table})) {
                    continue;
                }
                SQLite::Statement select{database, fmt::format("SELECT cleaned, original FROM {}", table)};
                while (select.executeStep()) {
                    by_value_[tag].try_emplace(
                        select.getColumn(0).getString(), select.getColumn(1).getString());
                }
            }
        } catch (const SQLite::Exception& error) {
            refuse(file, error.getErrorStr());
        }
        if (by_value_.empty()) {
            refuse(file, "no identity.db: it has none of its tables");
        }
        return;
    }
    const auto text = JsonText::from_file("the map file", file);
    const auto& root = text.root();
    if (!root.is_object()) {
        refuse(file, "neither a patient_info_map.json nor an identity.db");
    }
    for (const auto& [study, info] : (root.contains("patient_info") ? root["patient_info"] : root).items()) {
        for (const auto& [word, value] : info.items()) {
            const auto tag = dicom::dictionary::tag_from(word);
            if (!tag || !value.is_string()) {
                text.fail(fmt::format("/patient_info/{}/{}", study, word), "no attribute with its original");
            }
            by_study_[study].emplace(*tag, value.get<std::string>());
        }
    }
}

std::optional<pseudonym::RecalledOriginals> ForeignMap::recall(const dicom::Instance& instance) const
{
    const auto& data_set = instance.data_set();
    const dicom::CharacterSet characters{data_set.text(tags::SpecificCharacterSet)};
    Values values;
    if (const auto study = by_study_.find(std::string{instance.study_uid()}); study != by_study_.end()) {
        values = study->second;
    }
    for (const auto& [tag, originals] : by_value_) {
        const auto original = originals.find(characters.to_utf8(data_set.text(tag)));
        if (original != originals.end()) {
            values.emplace(tag, original->second);
        }
    }
    if (values.empty()) {
        return std::nullopt;
    }
    pseudonym::RecalledOriginals recalled;
    recalled.transfer_syntax = instance.transfer_syntax();
    recalled.complete = false;
    recalled.added = {tags::DeidentificationMethod, tags::DeidentificationMethodCodeSequence};
    for (const auto& [tag, value] : values) {
        const auto own = characters.from_utf8(value);
        if (!own) {
            throw Error{
                ErrorKind::Refused, "cannot restore", instance.name(),
                fmt::format("{} cannot be written in its character set", dicom::dictionary::name_of(tag))};
        }
        recalled.elements.emplace(
            tag, dicom::encode_element(tag, dicom::dictionary::vr_of(tag), *own, data_set.encoding()));
    }
    return recalled;
}

} // namespace dcmpipe::deid
