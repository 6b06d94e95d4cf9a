#pragma once

#include "pseudonym/map.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// Link data of other systems: what they keep of patients and their codes, in their own formats.
namespace dcmpipe::pseudonym {

enum class Format {
    ReceiverJson,   ///< DICOM Receiver's patient_info_map.json
    ReceiverFlat,   ///< its old form, {StudyUID: {keyword: original}}: holds no codes, so it is only written
    IdentityDb,     ///< dicom-anon's identity.db; reads ruby-dicom's as well
    IdentityDbRuby, ///< ruby-dicom's identity.db; reads dicom-anon's as well
    NewIds,         ///< PACSIFIER's new_ids_*.json: {"sub-ID": "CODE"}
    Mapper,         ///< PACSIFIER's mapper.json: {"CODE": "ID"}
    DayShift,       ///< PACSIFIER's day_shift_*.json: {"ID": days}, days added to each date; only written
    AnonTrail,      ///< PixieVeil's anontrail.jsonl, a line of JSON an image; only read
    Csv,            ///< PatientID,Issuer,Code,ShiftDays with a header; only PatientID and Code are required
};

/// Parses a name as --format has it. Throws Error{Usage} that lists them.
Format format_from(std::string_view name);

/// Reads patients and their codes. `issuer` is what the other system does not know of its Patient IDs. Throws
/// Error{Usage}: unreadable, not of this format, a patient without id or code.
std::vector<ImportedPatient> read_patients(
    Format format, const std::filesystem::path& file, const std::string& issuer);

/// Gives patients the shifts of PACSIFIER's day_shift_*.json, found by Patient ID or the name of its folder.
/// Throws Error{Usage} where the file is no such.
void add_day_shifts(std::vector<ImportedPatient>& patients, const std::filesystem::path& file);

/// True for a format that tells of studies too.
bool has_studies(Format format);

/// Writes what another system reads, under `file` with mode 0600, replacing what stands there. `studies` may
/// be empty where !has_studies(). Throws Error{Usage} for a format that is only read, Error{Output}.
void write_link_data(
    Format format, const std::filesystem::path& file, const std::vector<KnownPatient>& patients,
    const std::vector<KnownStudy>& studies);

} // namespace dcmpipe::pseudonym
