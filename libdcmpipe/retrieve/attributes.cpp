#include "retrieve/attributes.hpp"

#include "dicom/tags.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::retrieve {

namespace tags = dicom::tags;

namespace {

constexpr std::array study_level{
    tags::AccessionNumber,
    tags::AdmittingDiagnosesDescription,
    tags::EthnicGroup,
    tags::InstitutionName,
    tags::IssuerOfPatientID,
    tags::ModalitiesInStudy,
    tags::NameOfPhysiciansReadingStudy,
    tags::Occupation,
    tags::OtherPatientNames,
    tags::PatientAge,
    tags::PatientBirthDate,
    tags::PatientBirthTime,
    tags::PatientComments,
    tags::PatientID,
    tags::PatientName,
    tags::PatientSex,
    tags::PatientSize,
    tags::PatientWeight,
    tags::ReferringPhysicianName,
    tags::SOPClassesInStudy,
    tags::StudyDate,
    tags::StudyDescription,
    tags::StudyID,
    tags::StudyInstanceUID,
    tags::StudyTime,
};

constexpr std::array series_level{
    tags::BodyPartExamined,
    tags::DeviceSerialNumber,
    tags::Laterality,
    tags::Manufacturer,
    tags::ManufacturerModelName,
    tags::Modality,
    tags::OperatorsName,
    tags::PatientPosition,
    tags::PerformedProcedureStepDescription,
    tags::PerformedProcedureStepStartDate,
    tags::PerformingPhysicianName,
    tags::ProtocolName,
    tags::SeriesDate,
    tags::SeriesDescription,
    tags::SeriesInstanceUID,
    tags::SeriesNumber,
    tags::SeriesTime,
    tags::StationName,
};

constexpr std::array columns{
    tags::StudyDate,         tags::StudyTime,          tags::SeriesDescription, tags::PatientID,
    tags::ProtocolName,      tags::StudyInstanceUID,   tags::PatientName,       tags::PatientBirthDate,
    tags::SeriesInstanceUID, tags::DeviceSerialNumber, tags::Modality,          tags::ImageType,
    tags::SeriesNumber,      tags::StudyDescription,   tags::AccessionNumber,   tags::SequenceName,
    tags::AcquisitionDate,
};

template <std::size_t N>
bool is_among(const std::array<dicom::Tag, N>& list, dicom::Tag tag)
{
    return std::find(list.begin(), list.end(), tag) != list.end();
}

} // namespace

std::string_view value_of(const Attributes& attributes, dicom::Tag tag)
{
    const auto found = attributes.find(tag);
    return found != attributes.end() ? std::string_view{found->second} : std::string_view{};
}

std::string_view name_of(Level level) noexcept
{
    switch (level) {
    case Level::Patient:
        return "PATIENT";
    case Level::Study:
        return "STUDY";
    case Level::Series:
        return "SERIES";
    case Level::Image:
        break;
    }
    return "IMAGE";
}

Level level_of(dicom::Tag tag) noexcept
{
    if (is_among(study_level, tag)) {
        return Level::Study;
    }
    return is_among(series_level, tag) ? Level::Series : Level::Image;
}

std::span<const dicom::Tag> info_columns() noexcept
{
    return columns;
}

} // namespace dcmpipe::retrieve
