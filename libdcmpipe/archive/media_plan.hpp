#pragma once

#include "archive/dicomdir.hpp"
#include "archive/media_item.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace dcmpipe::archive {

/// Names for files on media: File IDs of components of eight characters out of A-Z and 0-9 (PS3.10 §8.2,
/// §8.5), `PT000000/ST000000/SE000000/IM000000`, counted from 0 at every level in the order of asking;
/// instances of no patient are `NP000000/HP000000` and the like.
class FileIds {
public:
    FileIds() = default;

    /// For media that has files already: what belongs to a patient, study or series of theirs stands beside
    /// them, and no name comes twice.
    explicit FileIds(const Directory& directory);

    /// Throws Error{Input} where a level has more than a million of the next one.
    std::string next(const MediaItem& item);

private:
    std::string folder(const std::string& key, const std::string& above, std::string_view prefix);
    std::string numbered(const std::string& above, std::string_view prefix);
    void take(const DirectoryRecord& record, const std::string& key);
    void take_name(const std::string& file_id);

    std::map<std::string, std::string> folders_; ///< of a patient, study, series
    std::map<std::string, unsigned> next_;       ///< by folder and prefix
};

/// What directory records have in common with items: a text for the patient, study or series that they stand
/// for. `above` is that of the record around.
std::string place_key(const DirectoryRecord& record, const std::string& above);
std::string patient_key(const std::string& patient);
std::string study_key(const std::string& patient, const std::string& study_uid);
std::string series_key(
    const std::string& patient, const std::string& study_uid, const std::string& series_uid);

} // namespace dcmpipe::archive
