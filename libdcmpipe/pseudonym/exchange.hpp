#pragma once

#include "pseudonym/map.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// Link data of other systems: what they keep of patients and their codes, in their own formats.
namespace dcmpipe::pseudonym {

enum class Format {
    ReceiverJson, ///< DICOM Receiver's patient_info_map.json, both forms
    IdentityDb,   ///< dicom-anon's and ruby-dicom's identity.db
    NewIds,       ///< PACSIFIER's new_ids_*.json: {"sub-ID": "CODE"}
    Mapper,       ///< PACSIFIER's mapper.json: {"CODE": "ID"}
    Csv,          ///< PatientID,Issuer,Code,ShiftDays with a header; only PatientID and Code are required
};

/// Parses `receiver-json`, `identity-db`, `new-ids`, `mapper` or `csv`. Throws Error{Usage}.
Format format_from(std::string_view name);

/// Reads patients and their codes. `issuer` is what the other system does not know of its Patient IDs. Throws
/// Error{Usage}: unreadable, not of this format, a patient without id or code.
std::vector<ImportedPatient> read_patients(
    Format format, const std::filesystem::path& file, const std::string& issuer);

/// Writes patients in a format that another system reads (not IdentityDb): the text of the file. Throws
/// Error{Usage} for a format that cannot be written.
std::string write_patients(Format format, const std::vector<KnownPatient>& patients);

/// PACSIFIER's day_shift_*.json: {"ID": days}, days added to each date.
std::string write_day_shifts(const std::vector<KnownPatient>& patients);

} // namespace dcmpipe::pseudonym
