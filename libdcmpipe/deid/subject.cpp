#include "deid/subject.hpp"

#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"

#include <nlohmann/json.hpp>

namespace dcmpipe::deid {

namespace tags = dicom::tags;

namespace {

/// Issuer of Patient ID, or else the universal id of its qualifiers (PS3.3 §C.7.1.1).
std::string issuer_of(const dicom::ElementIndex& data_set, const dicom::CharacterSet& characters)
{
    const auto issuer = data_set.text(tags::IssuerOfPatientID);
    if (!issuer.empty()) {
        return characters.to_utf8(issuer);
    }
    const auto qualifiers = data_set.find(tags::IssuerOfPatientIDQualifiersSequence);
    if (qualifiers == dicom::ElementIndex::None || !data_set[qualifiers].is_sequence()) {
        return {};
    }
    const auto item = data_set.first_child(qualifiers);
    return item == dicom::ElementIndex::None
               ? std::string{}
               : characters.to_utf8(data_set.text(tags::UniversalEntityID, item));
}

} // namespace

Subject subject_of(const dicom::Instance& instance, const std::string& default_issuer)
{
    const auto& data_set = instance.data_set();
    const dicom::CharacterSet characters{data_set.text(tags::SpecificCharacterSet)};
    Subject subject;
    subject.identity = {issuer_of(data_set, characters), characters.to_utf8(data_set.text(tags::PatientID))};
    if (subject.identity.issuer.empty()) {
        subject.identity.issuer = default_issuer;
    }
    if (subject.identity.id.empty()) {
        subject.anonymous = true;
        const auto study = instance.study_uid();
        subject.identity = {"study", std::string{study.empty() ? instance.instance_uid() : study}};
    }
    nlohmann::ordered_json particulars;
    for (const auto tag :
         {tags::IssuerOfPatientID, tags::PatientID, tags::PatientName, tags::PatientBirthDate,
          tags::PatientSex}) {
        const auto value = data_set.text(tag);
        if (!value.empty()) {
            particulars[dicom::dictionary::name_of(tag)] = characters.to_utf8(value);
        }
    }
    subject.particulars = particulars.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return subject;
}

} // namespace dcmpipe::deid
