#include "archive/directory_keys.hpp"

#include "dicom/tags.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::archive {

namespace tags = dicom::tags;

namespace {

constexpr DirectoryKey one(dicom::Tag tag)
{
    return {tag, Need::Value};
}
constexpr DirectoryKey one(dicom::Tag tag, StandIn stand_in, std::string_view text = {})
{
    return {tag, Need::Value, stand_in, text};
}
constexpr DirectoryKey maybe(dicom::Tag tag, Part part = Part::All)
{
    return {tag, Need::IfPresent, StandIn::None, {}, part};
}
constexpr DirectoryKey two(dicom::Tag tag)
{
    return {tag, Need::EvenEmpty};
}

constexpr auto number = one(tags::InstanceNumber, StandIn::Place);
constexpr auto date = one(tags::ContentDate, StandIn::Date);
constexpr auto time = one(tags::ContentTime, StandIn::Time);
constexpr auto label = one(tags::ContentLabel, StandIn::Text, "UNNAMED");
constexpr auto concept_modifiers = maybe(tags::ContentSequence, Part::ConceptModifiers);

// Of PS3.6 2023 and later: DCMTK's dictionary does not have them yet.
constexpr dicom::Tag scope_of_inventory_sequence{0x0008, 0x0400};
constexpr dicom::Tag inventory_purpose{0x0008, 0x0401};
constexpr dicom::Tag inventory_level{0x0008, 0x0403};
constexpr dicom::Tag inventory_completion_status{0x0008, 0x0426};
constexpr dicom::Tag total_number_of_study_records{0x0008, 0x0428};

constexpr std::array patient_keys{
    one(tags::PatientID, StandIn::PlaceText, "PAT"),
    two(tags::PatientName),
};
constexpr std::array study_keys{
    one(tags::StudyDate, StandIn::Date), one(tags::StudyTime, StandIn::Time),
    two(tags::AccessionNumber),          two(tags::StudyDescription),
    one(tags::StudyInstanceUID),         one(tags::StudyID, StandIn::PlaceText, "STD"),
};
constexpr std::array series_keys{
    one(tags::Modality),
    one(tags::SeriesInstanceUID),
    one(tags::SeriesNumber, StandIn::Place),
};

constexpr std::array image{
    number,
    maybe(tags::ImageType),
    maybe(tags::ReferencedImageSequence),
};
constexpr std::array patient_keys_with_more{
    one(tags::PatientID, StandIn::PlaceText, "PAT"),
    two(tags::PatientName),
    maybe(tags::PatientBirthDate),
    maybe(tags::PatientSex),
};
constexpr std::array series_keys_with_more{
    one(tags::Modality),          one(tags::SeriesInstanceUID),    one(tags::SeriesNumber, StandIn::Place),
    maybe(tags::InstitutionName), maybe(tags::InstitutionAddress), maybe(tags::PerformingPhysicianName),
};
constexpr std::array image_with_more{
    number,
    one(tags::Rows),
    one(tags::Columns),
    maybe(tags::ImageType),
    maybe(tags::CalibrationImage),
    maybe(tags::LossyImageCompressionRatio),
    maybe(tags::FrameOfReferenceUID),
    maybe(tags::SynchronizationFrameOfReferenceUID),
    maybe(tags::NumberOfFrames),
    maybe(tags::AcquisitionTimeSynchronized),
    maybe(tags::AcquisitionDateTime),
    maybe(tags::ReferencedImageSequence, Part::OrShared),
    maybe(tags::ImagePositionPatient, Part::OrShared),
    maybe(tags::ImageOrientationPatient, Part::OrShared),
    maybe(tags::PixelSpacing, Part::OrShared),
};
constexpr std::array overlay{one(tags::OverlayNumber, StandIn::Place)};
constexpr std::array lut{one(tags::LUTNumber, StandIn::Place)};
constexpr std::array curve{one(tags::CurveNumber, StandIn::Place)};
constexpr std::array numbered_and_dated{number, date, time};
constexpr std::array raw_data{date, time, two(tags::InstanceNumber)};
constexpr std::array dated{date, time};
/// The Content Identification Macro (PS3.3 Table 10-12) and when.
constexpr std::array identified{
    number, date, time, label, two(tags::ContentDescription), two(tags::ContentCreatorName),
};
constexpr std::array stereometric{
    number,
    label,
    two(tags::ContentDescription),
    two(tags::ContentCreatorName),
};
constexpr std::array presentation{
    number,
    label,
    two(tags::ContentDescription),
    one(tags::PresentationCreationDate, StandIn::Date),
    one(tags::PresentationCreationTime, StandIn::Time),
    two(tags::ContentCreatorName),
    maybe(tags::ReferencedSeriesSequence),
    maybe(tags::BlendingSequence, Part::Series),
};
constexpr std::array sr_document{
    number,
    date,
    time,
    one(tags::CompletionFlag, StandIn::Text, "PARTIAL"),
    one(tags::VerificationFlag, StandIn::Text, "UNVERIFIED"),
    maybe(tags::VerificationDateTime, Part::LastVerified),
    one(tags::ConceptNameCodeSequence),
    concept_modifiers,
};
constexpr std::array key_object_doc{
    number, date, time, one(tags::ConceptNameCodeSequence), concept_modifiers,
};
constexpr std::array rt_dose{number, one(tags::DoseSummationType), maybe(tags::DoseComment)};
constexpr std::array rt_structure_set{
    number,
    one(tags::StructureSetLabel, StandIn::Text, "UNNAMED"),
    two(tags::StructureSetDate),
    two(tags::StructureSetTime),
};
constexpr std::array rt_plan{
    number,
    one(tags::RTPlanLabel, StandIn::Text, "UNNAMED"),
    two(tags::RTPlanDate),
    two(tags::RTPlanTime),
};
constexpr std::array rt_treat_record{number, two(tags::TreatmentDate), two(tags::TreatmentTime)};
constexpr std::array stored_print{two(tags::InstanceNumber)};
constexpr std::array spectroscopy{
    number,
    date,
    time,
    one(tags::ImageType),
    maybe(tags::ReferencedImageEvidenceSequence),
    one(tags::NumberOfFrames),
    one(tags::Rows),
    one(tags::Columns),
    one(tags::DataPointRows),
    one(tags::DataPointColumns),
};
constexpr std::array encap_doc{
    number,
    two(tags::ContentDate),
    two(tags::ContentTime),
    two(tags::DocumentTitle),
    maybe(tags::HL7InstanceIdentifier),
    two(tags::ConceptNameCodeSequence),
    one(tags::MIMETypeOfEncapsulatedDocument, StandIn::Text, "application/octet-stream"),
};
constexpr std::array radiotherapy{
    number,
    maybe(tags::UserContentLabel),
    maybe(tags::UserContentLongLabel),
    two(tags::ContentDescription),
    two(tags::ContentCreatorName),
};
constexpr std::array assessment{
    number,
    one(tags::InstanceCreationDate, StandIn::Date),
    two(tags::InstanceCreationTime),
};
constexpr std::array hanging_protocol{
    one(tags::HangingProtocolName),
    one(tags::HangingProtocolDescription),
    one(tags::HangingProtocolLevel),
    one(tags::HangingProtocolCreator),
    one(tags::HangingProtocolCreationDateTime, StandIn::Moment),
    one(tags::HangingProtocolDefinitionSequence),
    one(tags::NumberOfPriorsReferenced),
    two(tags::HangingProtocolUserIdentificationCodeSequence),
};
constexpr std::array palette{label, two(tags::ContentDescription)};
constexpr std::array implant{
    one(tags::Manufacturer),
    one(tags::ImplantName),
    maybe(tags::ImplantSize),
    one(tags::ImplantPartNumber),
};
constexpr std::array implant_group{
    one(tags::ImplantTemplateGroupName),
    maybe(tags::ImplantTemplateGroupDescription),
    one(tags::ImplantTemplateGroupIssuer),
};
constexpr std::array implant_assembly{
    one(tags::ImplantAssemblyTemplateName),
    one(tags::Manufacturer),
    one(tags::ProcedureTypeCodeSequence),
};
constexpr std::array inventory{
    date,
    time,
    one(inventory_level),
    one(inventory_completion_status),
    one(total_number_of_study_records),
    two(inventory_purpose),
    two(scope_of_inventory_sequence),
};

constexpr RecordType image_record{"IMAGE", image};
constexpr RecordType image_record_with_more{"IMAGE", image_with_more};
constexpr RecordType sr_record{"SR DOCUMENT", sr_document};
constexpr RecordType waveform_record{"WAVEFORM", numbered_and_dated};
constexpr RecordType encap_doc_record{"ENCAP DOC", encap_doc};

/// What all SOP classes of composite instances begin with.
constexpr std::string_view composite = "1.2.840.10008.5.1.4.";

struct SopClasses {
    RecordType record;
    std::string_view uids; ///< what follows `composite`, parted by blanks
};

/// Record types but IMAGE, and the SOP classes (PS3.4 §B.5, §I.4, §GG.3) that they refer to.
constexpr std::array all{
    SopClasses{
        sr_record,
        "1.1.88.11 1.1.88.22 1.1.88.33 1.1.88.34 1.1.88.35 1.1.88.40 1.1.88.50 1.1.88.65 1.1.88.67 "
        "1.1.88.68 1.1.88.69 1.1.88.70 1.1.88.71 1.1.88.72 1.1.88.73 1.1.88.74 1.1.88.75 1.1.88.76 "
        "1.1.88.77 1.1.78.6 1.1.79.1"},
    SopClasses{{"KEY OBJECT DOC", key_object_doc}, "1.1.88.59"},
    SopClasses{
        {"PRESENTATION", presentation},
        "1.1.11.1 1.1.11.2 1.1.11.3 1.1.11.4 1.1.11.5 1.1.11.6 1.1.11.7 1.1.11.8 1.1.11.9 1.1.11.10 "
        "1.1.11.11 1.1.11.12 1.1.131"},
    SopClasses{{"WF PRESENTATION", presentation}, "1.1.9.100.1 1.1.9.100.2"},
    SopClasses{
        waveform_record,
        "1.1.9.1 1.1.9.1.1 1.1.9.1.2 1.1.9.1.3 1.1.9.1.4 1.1.9.2.1 1.1.9.3.1 1.1.9.4.1 1.1.9.4.2 "
        "1.1.9.5.1 1.1.9.6.1 1.1.9.6.2 1.1.9.7.1 1.1.9.7.2 1.1.9.7.3 1.1.9.7.4 1.1.9.8.1"},
    SopClasses{{"RT DOSE", rt_dose}, "1.1.481.2"},
    SopClasses{{"RT STRUCTURE SET", rt_structure_set}, "1.1.481.3"},
    SopClasses{{"RT PLAN", rt_plan}, "1.1.481.5 1.1.481.8"},
    SopClasses{{"RT TREAT RECORD", rt_treat_record}, "1.1.481.4 1.1.481.6 1.1.481.7 1.1.481.9"},
    SopClasses{
        {"RADIOTHERAPY", radiotherapy},
        "1.1.481.10 1.1.481.11 1.1.481.12 1.1.481.13 1.1.481.14 1.1.481.15 1.1.481.16 1.1.481.17 "
        "1.1.481.18 1.1.481.19 1.1.481.20 1.1.481.21 1.1.481.22"},
    SopClasses{{"PLAN", {}}, "34.1 34.7 34.10 1.1.481.25"},
    SopClasses{{"REGISTRATION", identified}, "1.1.66.1 1.1.66.3"},
    SopClasses{{"FIDUCIAL", identified}, "1.1.66.2"},
    SopClasses{{"RAW DATA", raw_data}, "1.1.66"},
    SopClasses{{"SURFACE", identified}, "1.1.66.5"},
    SopClasses{{"TRACT", identified}, "1.1.66.6"},
    SopClasses{{"VALUE MAP", identified}, "1.1.67"},
    SopClasses{{"SURFACE SCAN", dated}, "1.1.68.1 1.1.68.2"},
    SopClasses{{"STEREOMETRIC", stereometric}, "1.1.77.1.5.3"},
    SopClasses{
        {"MEASUREMENT", identified},
        "1.1.78.1 1.1.78.2 1.1.78.3 1.1.78.4 1.1.78.5 1.1.78.7 1.1.78.8 1.1.80.1"},
    SopClasses{{"ASSESSMENT", assessment}, "1.1.90.1"},
    SopClasses{{"ANNOTATION", identified}, "1.1.91.1"},
    SopClasses{{"SPECTROSCOPY", spectroscopy}, "1.1.4.2"},
    SopClasses{encap_doc_record, "1.1.104.1 1.1.104.2 1.1.104.3 1.1.104.4 1.1.104.5"},
    SopClasses{{"HANGING PROTOCOL", hanging_protocol, true, "HP"}, "38.1"},
    SopClasses{{"PALETTE", palette, true, "PL"}, "39.1"},
    SopClasses{{"IMPLANT", implant, true, "IP"}, "43.1"},
    SopClasses{{"IMPLANT ASSY", implant_assembly, true, "IA"}, "44.1"},
    SopClasses{{"IMPLANT GROUP", implant_group, true, "IG"}, "45.1"},
    SopClasses{{"INVENTORY", inventory, true, "IV"}, "1.1.201.1"},
    // Retired, but there are media with them.
    SopClasses{{"OVERLAY", overlay}, "1.1.8"},
    SopClasses{{"CURVE", curve}, "1.1.9 1.1.129"},
    SopClasses{{"MODALITY LUT", lut}, "1.1.10"},
    SopClasses{{"VOI LUT", lut}, "1.1.11"},
};

bool is_among(std::string_view uids, std::string_view uid)
{
    for (std::size_t start = 0; start < uids.size();) {
        const auto end = std::min(uids.find(' ', start), uids.size());
        if (uids.substr(start, end - start) == uid) {
            return true;
        }
        start = end + 1;
    }
    return false;
}

/// What the SOP classes of instances in series begin with, nearly all of which are images; and those of
/// protocols, which the standard has no record for.
constexpr std::string_view in_series = "1.1.";
constexpr std::string_view protocols = "1.1.200.";

/// For classes that are not in the table, by what an instance of them is there for.
const RecordType* by_content(std::string_view uid, const dicom::ElementIndex& data_set)
{
    static constexpr std::array<std::pair<dicom::Tag, const RecordType*>, 6> telling{
        {{tags::PixelData, &image_record},
         {tags::FloatPixelData, &image_record},
         {tags::DoubleFloatPixelData, &image_record},
         {tags::WaveformSequence, &waveform_record},
         {tags::EncapsulatedDocument, &encap_doc_record},
         {tags::ContentSequence, &sr_record}}};
    for (const auto& [tag, record] : telling) {
        if (data_set.find(tag) != dicom::ElementIndex::None) {
            return record;
        }
    }
    return uid.starts_with(in_series) && !uid.starts_with(protocols) ? &image_record : nullptr;
}

} // namespace

constexpr RecordType patient_record{"PATIENT", patient_keys};
constexpr RecordType study_record{"STUDY", study_keys};
constexpr RecordType series_record{"SERIES", series_keys};
constexpr RecordType patient_record_with_more{"PATIENT", patient_keys_with_more};
constexpr RecordType series_record_with_more{"SERIES", series_keys_with_more};

const RecordType* with_more(const RecordType* type)
{
    return type == &image_record ? &image_record_with_more : type;
}

const RecordType* record_type_of(std::string_view sop_class_uid, const dicom::ElementIndex& data_set)
{
    if (!sop_class_uid.starts_with(composite)) {
        return nullptr;
    }
    const auto uid = sop_class_uid.substr(composite.size());
    const auto* const found = std::find_if(
        all.begin(), all.end(), [&](const SopClasses& classes) { return is_among(classes.uids, uid); });
    return found != all.end() ? &found->record : by_content(uid, data_set);
}

} // namespace dcmpipe::archive
