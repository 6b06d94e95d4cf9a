#include "pseudonym/reveal.hpp"

#include "core/error.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"

#include <nlohmann/json.hpp>

namespace dcmpipe::pseudonym {

namespace tags = dicom::tags;
using Json = nlohmann::ordered_json;

namespace {

std::string described(const KnownPatient& known)
{
    auto particulars = Json::parse(known.particulars, nullptr, false);
    Json json{{"code", known.patient.code}, {"shift_days", known.patient.shift_days}};
    if (particulars.is_object()) {
        json.update(particulars);
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

void Revealer::note(std::string_view action, const std::string& of_whom)
{
    audit_.append_once(program_, action, {of_whom});
}

std::string Revealer::by_code(std::string_view code)
{
    const auto known = map_.find_code(code, restore_key_);
    if (!known) {
        throw Error{ErrorKind::Input, "cannot look up", code, "the map knows no such code"};
    }
    note("lookup by code", known->patient.code);
    return described(*known);
}

std::string Revealer::by_identity(const PatientIdentity& identity)
{
    const auto known = map_.find(identity);
    if (!known) {
        throw Error{ErrorKind::Input, "the map knows no patient of this id and issuer"};
    }
    return by_code(known->code);
}

std::string Revealer::by_study(std::string_view study_uid)
{
    const auto originals = map_.recall_study(study_uid, restore_key_);
    if (!originals) {
        throw Error{ErrorKind::Input, "cannot look up", study_uid, "the map knows no such study"};
    }
    note("lookup by study", std::string{study_uid});
    Json json;
    for (const auto tag :
         {tags::PatientID, tags::IssuerOfPatientID, tags::PatientName, tags::PatientBirthDate,
          tags::StudyInstanceUID, tags::StudyDate, tags::StudyDescription, tags::AccessionNumber}) {
        if (const auto text = original_text(*originals, tag); !text.empty()) {
            json[dicom::dictionary::name_of(tag)] = text;
        }
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<KnownPatient> Revealer::all(std::string_view why)
{
    note(why, "everybody");
    return map_.patients(restore_key_);
}

std::vector<KnownStudy> Revealer::all_studies(std::string_view why)
{
    note(why, "every study");
    return map_.studies(restore_key_);
}

std::optional<RecalledOriginals> Revealer::originals(
    std::string_view instance_uid, std::string_view study_uid)
{
    auto originals = map_.recall(instance_uid, restore_key_);
    if (originals) {
        note("restore", std::string{study_uid});
    }
    return originals;
}

std::optional<std::string> Revealer::original_uid(std::string_view uid)
{
    auto found = std::pair{map_.recall_study(uid, restore_key_), tags::StudyInstanceUID};
    if (!found.first) {
        found = {map_.recall_series(uid, restore_key_), tags::SeriesInstanceUID};
    }
    if (!found.first) {
        found = {map_.recall(uid, restore_key_), tags::SOPInstanceUID};
    }
    if (!found.first) {
        return std::nullopt;
    }
    note("lookup of UID", std::string{uid});
    auto original = original_text(*found.first, found.second);
    return original.empty() ? std::nullopt : std::optional{std::move(original)};
}

} // namespace dcmpipe::pseudonym
