#include "archive/media_plan.hpp"

#include "core/error.hpp"
#include "dicom/tags.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace tags = dicom::tags;

namespace {

constexpr unsigned most = 1'000'000; ///< six digits
constexpr std::size_t prefix_length = 2;
constexpr std::size_t name_length = 8;
constexpr std::string_view no_patient = "NP000000";

/// Two letters and a number, as we name; nothing for other names.
struct OwnName {
    bool is_ours = false;
    unsigned number = 0;

    explicit OwnName(std::string_view name)
    {
        if (name.size() != name_length) {
            return;
        }
        const auto* const digits = name.data() + prefix_length;
        const auto* const end = name.data() + name.size();
        is_ours = std::from_chars(digits, end, number).ptr == end &&
                  std::all_of(name.data(), digits, [](char c) { return c >= 'A' && c <= 'Z'; });
    }
};

/// An ID that record_keys() invented.
bool is_invented(std::string_view patient_id)
{
    return patient_id.size() == 9 && patient_id.starts_with("PAT") &&
           std::all_of(patient_id.begin() + 3, patient_id.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

std::string patient_key(const std::string& patient)
{
    return patient;
}

std::string study_key(const std::string& patient, const std::string& study_uid)
{
    return patient + '\0' + study_uid;
}

std::string series_key(
    const std::string& patient, const std::string& study_uid, const std::string& series_uid)
{
    return study_key(patient, study_uid) + '\0' + series_uid;
}

std::string place_key(const DirectoryRecord& record, const std::string& above)
{
    if (record.type == "PATIENT") {
        const auto id = text_of(record.keys, tags::PatientID);
        return patient_key(id.empty() || is_invented(id) ? text_of(record.keys, tags::PatientName) : id);
    }
    return above + '\0' +
           text_of(record.keys, record.type == "STUDY" ? tags::StudyInstanceUID : tags::SeriesInstanceUID);
}

FileIds::FileIds(const Directory& directory)
{
    for (const auto& root : directory.roots) {
        if (root.type != "PATIENT") {
            take_name(file_id_of(root));
            continue;
        }
        take(root, {});
    }
}

void FileIds::take(const DirectoryRecord& record, const std::string& above)
{
    const bool is_place = record.type == "PATIENT" || record.type == "STUDY" || record.type == "SERIES";
    const auto key = is_place ? place_key(record, above) : above;
    const auto file_id = file_id_of(record);
    take_name(file_id);
    // `PT000000/ST000000/SE000000/...`: its folders are those of its series, study and patient.
    if (record.type != "SERIES" && !is_place && std::count(file_id.begin(), file_id.end(), '/') == 3) {
        auto folder = file_id;
        for (auto place = key; !place.empty();) {
            folder.erase(folder.rfind('/'));
            folders_.try_emplace(place, folder);
            const auto end = place.rfind('\0');
            place.erase(end == place.npos || folder.find('/') == folder.npos ? 0 : end);
        }
    }
    for (const auto& below : record.below) {
        take(below, key);
    }
}

/// No component of this name is given again in its folder.
void FileIds::take_name(const std::string& file_id)
{
    for (std::size_t start = 0; start < file_id.size();) {
        const auto end = std::min(file_id.find('/', start), file_id.size());
        const auto name = std::string_view{file_id}.substr(start, end - start);
        if (const OwnName own{name}; own.is_ours) {
            auto& next = next_[file_id.substr(0, start + prefix_length)];
            next = std::max(next, own.number + 1);
        }
        start = end + 1;
    }
}

std::string FileIds::numbered(const std::string& above, std::string_view prefix)
{
    const auto stem = above.empty() ? std::string{prefix} : fmt::format("{}/{}", above, prefix);
    const auto number = next_[stem]++;
    if (number >= most) {
        throw Error{ErrorKind::Input, "cannot name the files: more than a million on one level"};
    }
    return fmt::format("{}{:06}", stem, number);
}

std::string FileIds::folder(const std::string& key, const std::string& above, std::string_view prefix)
{
    const auto found = folders_.find(key);
    return found != folders_.end() ? found->second : folders_[key] = numbered(above, prefix);
}

std::string FileIds::next(const MediaItem& item)
{
    if (item.type->is_root) {
        return numbered(std::string{no_patient}, item.type->prefix);
    }
    const auto patient = folder(patient_key(item.patient), {}, "PT");
    const auto study = folder(study_key(item.patient, item.study_uid), patient, "ST");
    const auto series = folder(series_key(item.patient, item.study_uid, item.series_uid), study, "SE");
    return numbered(series, item.type->prefix);
}

} // namespace dcmpipe::archive
