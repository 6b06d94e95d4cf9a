#include "studies.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

/// A content item with its concept name (PS3.3 §C.17.3).
DcmItem& add_content(
    DcmItem& parent, std::string_view relationship, std::string_view type, std::string_view code,
    std::string_view meaning)
{
    DcmItem& content = add_item(parent, DCM_ContentSequence);
    set(content, DCM_RelationshipType, relationship);
    set(content, DCM_ValueType, type);
    if (!code.empty()) {
        add_code(content, DCM_ConceptNameCodeSequence, code, "DCM", meaning);
    }
    return content;
}

void put_observer(DcmItem& data_set, Visit& visit)
{
    DcmItem& type = add_content(data_set, "HAS OBS CONTEXT", "CODE", "121005", "Observer Type");
    add_code(type, DCM_ConceptCodeSequence, "121006", "DCM", "Person");
    DcmItem& observer = add_content(data_set, "HAS OBS CONTEXT", "PNAME", "121008", "Person Observer Name");
    visit.put(observer, DCM_PersonName, Identity::Name, visit.person().reading);
    DcmItem& subject = add_content(data_set, "HAS OBS CONTEXT", "PNAME", "121029", "Subject Name");
    visit.put(subject, DCM_PersonName, Identity::Name, visit.person().name);
    DcmItem& device = add_content(data_set, "HAS OBS CONTEXT", "UIDREF", "121012", "Device Observer UID");
    visit.put_uid(device, DCM_UID, "device");
    DcmItem& date = add_content(data_set, "HAS OBS CONTEXT", "DATE", "121031", "Subject Birth Date");
    visit.put(date, DCM_Date, Identity::Date, visit.person().birth_date);
    DcmItem& study =
        add_content(data_set, "HAS OBS CONTEXT", "UIDREF", "121018", "Procedure Study Instance UID");
    visit.put_uid(study, DCM_UID, "study");
}

void put_image(DcmItem& parent, std::string_view relationship, Visit& visit, unsigned slice)
{
    DcmItem& image = add_content(parent, relationship, "IMAGE", "", "");
    add_reference(
        image, DCM_ReferencedSOPSequence, UID_CTImageStorage, visit.uid(fmt::format("ct slice {}", slice)));
}

void put_findings(DcmItem& data_set, Visit& visit, const Scale& scale)
{
    DcmItem& findings = add_content(data_set, "CONTAINS", "CONTAINER", "121070", "Findings");
    set(findings, DCM_ContinuityOfContent, "SEPARATE");
    DcmItem& text = add_content(findings, "CONTAINS", "TEXT", "121071", "Finding");
    visit.put(text, DCM_TextValue, Identity::Text, visit.complaint());
    put_image(text, "INFERRED FROM", visit, scale.ct_slices / 2);
    DcmItem& number = add_content(findings, "CONTAINS", "NUM", "121211", "Path length");
    DcmItem& measured = add_item(number, DCM_MeasuredValueSequence);
    set(measured, DCM_NumericValue, "18.4");
    DcmItem& unit = add_code(measured, DCM_MeasurementUnitsCodeSequence, "mm", "UCUM", "mm");
    set(unit, DCM_CodingSchemeVersion, "1.4");
    put_image(number, "INFERRED FROM", visit, scale.ct_slices);
    DcmItem& when =
        add_content(findings, "CONTAINS", "DATETIME", "121125", "DateTime of Recording of Log Entry");
    visit.put(when, DCM_DateTime, Identity::Date, visit.date() + visit.time(1) + "+0100");
    put_image(findings, "CONTAINS", visit, 1);
}

/// Every instance that the content names (PS3.3 §C.17.2.3).
void put_evidence(DcmItem& data_set, Visit& visit, const Scale& scale)
{
    DcmItem& study = add_item(data_set, DCM_CurrentRequestedProcedureEvidenceSequence);
    visit.put_uid(study, DCM_StudyInstanceUID, "study");
    DcmItem& series = add_item(study, DCM_ReferencedSeriesSequence);
    visit.put_uid(series, DCM_SeriesInstanceUID, "ct");
    for (const unsigned slice : {1U, scale.ct_slices / 2, scale.ct_slices}) {
        add_reference(
            series, DCM_ReferencedSOPSequence, UID_CTImageStorage,
            visit.uid(fmt::format("ct slice {}", slice)));
    }
}

void put_document(DcmItem& data_set, Visit& visit)
{
    set(data_set, DCM_CompletionFlag, "COMPLETE");
    set(data_set, DCM_VerificationFlag, "VERIFIED");
    DcmItem& verifier = add_item(data_set, DCM_VerifyingObserverSequence);
    visit.put(verifier, DCM_VerifyingOrganization, Identity::Institution, visit.person().institution);
    visit.put(verifier, DCM_VerificationDateTime, Identity::Date, visit.date() + visit.time(1));
    visit.put(verifier, DCM_VerifyingObserverName, Identity::Name, visit.person().reading);
    DcmItem& id = add_code(
        verifier, DCM_VerifyingObserverIdentificationCodeSequence, "D" + visit.patient_number("reader", 7),
        "99PHYS", "-");
    visit.put(
        id, DCM_CodeMeaning, Identity::Name,
        visit.person().reading.substr(0, visit.person().reading.find('^')));
    check(data_set.insertEmptyElement(DCM_PerformedProcedureCodeSequence), "cannot add an empty sequence");
    check(
        data_set.insertEmptyElement(DCM_ReferencedPerformedProcedureStepSequence),
        "cannot add an empty sequence");

    DcmItem& request = add_item(data_set, DCM_ReferencedRequestSequence);
    visit.put_uid(request, DCM_StudyInstanceUID, "study");
    check(request.insertEmptyElement(DCM_ReferencedStudySequence), "cannot add an empty sequence");
    visit.put(request, DCM_AccessionNumber, Identity::Id, "ACC" + visit.study_number("accession", 9));
    visit.put(
        request, DCM_PlacerOrderNumberImagingServiceRequest, Identity::Id,
        "PL" + visit.study_number("placer", 8));
    visit.put(
        request, DCM_FillerOrderNumberImagingServiceRequest, Identity::Id,
        "FI" + visit.study_number("filler", 8));
    visit.put(request, DCM_RequestedProcedureID, Identity::Id, "RP" + visit.study_number("procedure", 8));
    set(request, DCM_RequestedProcedureDescription, "CT head and thorax");
    check(request.insertEmptyElement(DCM_RequestedProcedureCodeSequence), "cannot add an empty sequence");
}

} // namespace

void make_report(Visit& visit, Store& store, const Scale& scale, const std::string& path)
{
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_patient_and_study(data_set, visit);
    put_series_and_equipment(
        data_set, visit,
        {.name = "sr",
         .modality = "SR",
         .description = "Report",
         .manufacturer = "Invented Reporting",
         .model = "Words Three",
         .number = 3});
    put_instance(data_set, visit, UID_ComprehensiveSRStorage, "report", 1);
    put_document(data_set, visit);
    put_evidence(data_set, visit, scale);
    set(data_set, DCM_ValueType, "CONTAINER");
    add_code(data_set, DCM_ConceptNameCodeSequence, "126000", "DCM", "Imaging Measurement Report");
    set(data_set, DCM_ContinuityOfContent, "SEPARATE");
    put_observer(data_set, visit);
    put_findings(data_set, visit, scale);
    store.save(file, path, "sr");
}

} // namespace studies
