#include "visit.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

void put_patient_identifiers(DcmItem& data_set, Visit& visit)
{
    const Person& person = visit.person();
    visit.put(data_set, DCM_PatientName, Identity::Name, person.name);
    visit.put(data_set, DCM_PatientID, Identity::Id, visit.patient_id());
    visit.put(data_set, DCM_IssuerOfPatientID, Identity::Id, person.issuer);
    visit.put(data_set, DCM_OtherPatientNames, Identity::Name, person.other_name);
    visit.put(data_set, DCM_PatientBirthName, Identity::Name, person.birth_name);
    visit.put(data_set, DCM_PatientMotherBirthName, Identity::Name, person.mothers_birth_name);

    DcmItem& other = add_item(data_set, DCM_OtherPatientIDsSequence);
    visit.put(other, DCM_PatientID, Identity::Id, "X" + visit.patient_number("other id", 9));
    visit.put(other, DCM_IssuerOfPatientID, Identity::Id, "INSURANCE-" + visit.patient_number("issuer", 5));
    set(other, DCM_TypeOfPatientID, "TEXT");
}

void put_patient_details(DcmItem& data_set, Visit& visit)
{
    const Person& person = visit.person();
    visit.put(data_set, DCM_PatientBirthDate, Identity::Date, person.birth_date);
    visit.put(
        data_set, DCM_PatientBirthTime, Identity::Time, "0" + visit.patient_number("birth", 1) + "1359");
    set(data_set, DCM_PatientSex, person.sex);
    const int age =
        std::stoi(visit.date().substr(0, 4)) - std::stoi(std::string{person.birth_date.substr(0, 4)});
    set(data_set, DCM_PatientAge, fmt::format("{:03}Y", age));
    set(data_set, DCM_PatientSize, "1.71");
    set(data_set, DCM_PatientWeight, "68.5");
    visit.put(data_set, DCM_PatientAddress, Identity::Address, person.address);
    visit.put(data_set, DCM_PatientTelephoneNumbers, Identity::Phone, person.phone);
    visit.put(data_set, DCM_Occupation, Identity::Text, person.occupation);
    visit.put(
        data_set, DCM_RETIRED_MedicalRecordLocator, Identity::Id, "MRL" + visit.patient_number("locator", 7));
    visit.put(data_set, DCM_AdditionalPatientHistory, Identity::Text, visit.complaint());
    visit.put(data_set, DCM_PatientComments, Identity::Text, visit.complaint() + " (MR)");
    visit.put(data_set, DCM_ResponsiblePerson, Identity::Name, person.mothers_birth_name);
    set(data_set, DCM_ResponsiblePersonRole, "PARENT");
}

void put_study(DcmItem& data_set, Visit& visit)
{
    const Person& person = visit.person();
    visit.put_uid(data_set, DCM_StudyInstanceUID, "study");
    visit.put(data_set, DCM_StudyDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_StudyTime, Identity::Time, visit.time());
    visit.put(data_set, DCM_StudyID, Identity::Id, "ST" + visit.study_number("study id", 8));
    visit.put(data_set, DCM_AccessionNumber, Identity::Id, "ACC" + visit.study_number("accession", 9));
    visit.put(data_set, DCM_StudyDescription, Identity::Text, person.study_words);
    visit.put(data_set, DCM_ReferringPhysicianName, Identity::Name, person.referring);
    visit.put(data_set, DCM_PhysiciansOfRecord, Identity::Name, person.referring);
    visit.put(data_set, DCM_NameOfPhysiciansReadingStudy, Identity::Name, person.reading);
    visit.put(data_set, DCM_AdmissionID, Identity::Id, "ADM" + visit.study_number("admission", 8));
    visit.put(data_set, DCM_AdmittingDiagnosesDescription, Identity::Text, visit.complaint());

    DcmItem& referring = add_item(data_set, DCM_ReferringPhysicianIdentificationSequence);
    DcmItem& id = add_code(
        referring, DCM_PersonIdentificationCodeSequence, "D" + visit.patient_number("doctor", 7), "99PHYS",
        "-");
    visit.put(id, DCM_CodeMeaning, Identity::Name, person.referring.substr(0, person.referring.find('^')));
    visit.put(referring, DCM_PersonTelephoneNumbers, Identity::Phone, "+00 " + visit.patient_number("p", 10));
    visit.put(referring, DCM_InstitutionName, Identity::Institution, person.institution);
    visit.put(referring, DCM_InstitutionAddress, Identity::Address, person.institution_address);
}

void put_request(DcmItem& data_set, Visit& visit)
{
    DcmItem& request = add_item(data_set, DCM_RequestAttributesSequence);
    visit.put(request, DCM_RequestedProcedureID, Identity::Id, "RP" + visit.study_number("procedure", 8));
    visit.put(request, DCM_ScheduledProcedureStepID, Identity::Id, "SPS" + visit.study_number("step", 8));
    visit.put(request, DCM_AccessionNumber, Identity::Id, "ACC" + visit.study_number("accession", 9));
    visit.put(request, DCM_ReasonForTheRequestedProcedure, Identity::Text, visit.complaint());
    add_code(request, DCM_ScheduledProtocolCodeSequence, "HT-ROUTINE", "99INVENT", "Head and thorax routine");
}

} // namespace

void put_patient_and_study(DcmItem& data_set, Visit& visit)
{
    set(data_set, DCM_SpecificCharacterSet, visit.person().character_set);
    put_patient_identifiers(data_set, visit);
    put_patient_details(data_set, visit);
    put_study(data_set, visit);
}

void put_series_and_equipment(DcmItem& data_set, Visit& visit, const SeriesWords& words)
{
    const Person& person = visit.person();
    set(data_set, DCM_Modality, words.modality);
    visit.put_uid(data_set, DCM_SeriesInstanceUID, words.name);
    set(data_set, DCM_SeriesNumber, std::to_string(words.number));
    visit.put(data_set, DCM_SeriesDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_SeriesTime, Identity::Time, visit.time(words.number));
    set(data_set, DCM_SeriesDescription, words.description);
    visit.put(data_set, DCM_PerformingPhysicianName, Identity::Name, person.performing);
    visit.put(data_set, DCM_OperatorsName, Identity::Name, person.tech);
    visit.put(
        data_set, DCM_PerformedProcedureStepID, Identity::Id, "PPS" + visit.study_number("performed", 8));
    visit.put(data_set, DCM_PerformedProcedureStepStartDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_PerformedProcedureStepStartTime, Identity::Time, visit.time());
    put_request(data_set, visit);

    set(data_set, DCM_Manufacturer, words.manufacturer);
    set(data_set, DCM_ManufacturerModelName, words.model);
    visit.put(data_set, DCM_InstitutionName, Identity::Institution, person.institution);
    visit.put(data_set, DCM_InstitutionAddress, Identity::Address, person.institution_address);
    visit.put(data_set, DCM_InstitutionalDepartmentName, Identity::Institution, person.department);
    visit.put(data_set, DCM_StationName, Identity::Device, "STN" + visit.patient_number("station", 6));
    visit.put(data_set, DCM_DeviceSerialNumber, Identity::Device, "SN" + visit.patient_number("serial", 9));
    visit.put_uid(data_set, DCM_DeviceUID, "device");
    set(data_set, DCM_SoftwareVersions, "invented 1.0");
    visit.put(data_set, DCM_DateOfLastCalibration, Identity::Date, "20131009");
    visit.put(data_set, DCM_TimeOfLastCalibration, Identity::Time, "061723");
}

void put_instance(
    DcmItem& data_set, Visit& visit, std::string_view sop_class_uid, std::string_view name, unsigned number)
{
    set(data_set, DCM_SOPClassUID, sop_class_uid);
    visit.put_uid(data_set, DCM_SOPInstanceUID, fmt::format("{} {}", name, number));
    set(data_set, DCM_InstanceNumber, std::to_string(number));
    visit.put(data_set, DCM_InstanceCreationDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_InstanceCreationTime, Identity::Time, visit.time(30));
    visit.put(data_set, DCM_ContentDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_ContentTime, Identity::Time, visit.time(2));
}

} // namespace studies
