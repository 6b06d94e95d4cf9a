#include "image.hpp"
#include "private_blocks.hpp"
#include "studies.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

std::uint16_t signal(Tissue tissue)
{
    static constexpr std::array<std::uint16_t, 11> values{6, 900, 380, 60, 620, 150, 40, 400, 90, 8, 300};
    return values.at(static_cast<std::size_t>(tissue));
}

/// Identity three sequences deep, in public attributes.
void put_nested(DcmItem& data_set, Visit& visit, const Scale& scale)
{
    const Person& person = visit.person();
    DcmItem& equipment = add_item(data_set, DCM_ContributingEquipmentSequence);
    add_code(equipment, DCM_PurposeOfReferenceCodeSequence, "109101", "DCM", "Acquisition Equipment");
    set(equipment, DCM_Manufacturer, "Invented Scanners");
    visit.put(equipment, DCM_InstitutionName, Identity::Institution, person.institution);
    visit.put(equipment, DCM_OperatorsName, Identity::Name, person.tech);
    DcmItem& tech = add_item(equipment, DCM_OperatorIdentificationSequence);
    DcmItem& code = add_code(
        tech, DCM_PersonIdentificationCodeSequence, "T" + visit.patient_number("tech", 7), "99TECH", "-");
    visit.put(code, DCM_CodeMeaning, Identity::Name, person.tech.substr(0, person.tech.find('^')));
    visit.put(tech, DCM_InstitutionName, Identity::Institution, person.institution);

    add_reference(
        data_set, DCM_ReferencedPerformedProcedureStepSequence, UID_ModalityPerformedProcedureStepSOPClass,
        visit.uid("performed step"));
    DcmItem& image = add_reference(
        data_set, DCM_ReferencedImageSequence, UID_MRImageStorage,
        visit.uid(fmt::format("mr slice {}", scale.mr_slices / 2)));
    add_code(image, DCM_PurposeOfReferenceCodeSequence, "121311", "DCM", "Localizer");
}

void put_series(DcmItem& data_set, Visit& visit, const Scale& scale)
{
    put_patient_and_study(data_set, visit);
    put_series_and_equipment(
        data_set, visit,
        {.name = "mr",
         .modality = "MR",
         .description = "t1_invented_tra",
         .manufacturer = "Invented Scanners",
         .model = "Magnet Two"});
    put_nested(data_set, visit, scale);
    put_private_blocks(data_set, visit);
    visit.put_uid(data_set, DCM_FrameOfReferenceUID, "mr frame of reference");
    set(data_set, DCM_PositionReferenceIndicator, "");
    set(data_set, DCM_PatientPosition, "HFS");
    set(data_set, DCM_BodyPartExamined, "HEAD");
    set(data_set, DCM_ImageType, "ORIGINAL\\PRIMARY\\OTHER");
    set(data_set, DCM_ScanningSequence, "SE");
    set(data_set, DCM_SequenceVariant, "NONE");
    set(data_set, DCM_ScanOptions, "");
    set(data_set, DCM_MRAcquisitionType, "2D");
    set(data_set, DCM_SequenceName, "inv_se");
    set(data_set, DCM_EchoTime, "11");
    set(data_set, DCM_RepetitionTime, "520");
    set(data_set, DCM_EchoTrainLength, "1");
    set(data_set, DCM_MagneticFieldStrength, "1.5");
    set(data_set, DCM_WindowCenter, "450");
    set(data_set, DCM_WindowWidth, "900");
    visit.put(data_set, DCM_AcquisitionDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_AcquisitionTime, Identity::Time, visit.time(1));
}

} // namespace

void make_mr_study(Visit& visit, Store& store, const Scale& scale, const std::string& folder)
{
    const Grid grid{.size = scale.mr_size, .field = 260};
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_series(data_set, visit, scale);
    put_pixel_format(data_set, {.rows = grid.size, .columns = grid.size, .bits_stored = 12});
    for (unsigned slice = 0; slice < scale.mr_slices; ++slice) {
        const double z = 90 + 8.0 * 24 / scale.mr_slices * slice;
        put_instance(data_set, visit, UID_MRImageStorage, "mr slice", slice + 1);
        put_plane(data_set, grid, z, 8.0 * 24 / scale.mr_slices);
        auto random = visit.random(fmt::format("noise {}", slice));
        set(data_set, DCM_PixelData, draw(grid, z, signal, 12, random));
        // Every second instance says its lengths, the others close with delimiters.
        store.save(
            file, fmt::format("{}/mr/{:04}.dcm", folder, slice + 1), "mr",
            {.syntax = EXS_LittleEndianImplicit,
             .lengths = slice % 2 == 0 ? EET_UndefinedLength : EET_ExplicitLength});
    }
}

} // namespace studies
