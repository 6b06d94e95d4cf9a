#include "image.hpp"
#include "studies.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

/// Hounsfield units + 1024.
std::uint16_t stored_value(Tissue tissue)
{
    static constexpr std::array<std::uint16_t, 11> values{24,  944,  1074, 1924, 1059, 1032,
                                                          174, 1069, 1184, 34,   1054};
    return values.at(static_cast<std::size_t>(tissue));
}

void put_series(DcmItem& data_set, Visit& visit)
{
    put_patient_and_study(data_set, visit);
    put_series_and_equipment(
        data_set, visit,
        {.name = "ct",
         .modality = "CT",
         .description = "Head and thorax 3.0",
         .manufacturer = "Invented Scanners",
         .model = "Phantom One"});
    set(data_set, DCM_BodyPartExamined, "CHEST");
    set(data_set, DCM_PatientPosition, "HFS");
    set(data_set, DCM_ProtocolName, "HeadThorax_Routine");
    visit.put_uid(data_set, DCM_FrameOfReferenceUID, "frame of reference");
    set(data_set, DCM_PositionReferenceIndicator, "");
    set(data_set, DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
    set(data_set, DCM_AcquisitionNumber, "1");
    visit.put(data_set, DCM_AcquisitionDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_AcquisitionTime, Identity::Time, visit.time(1));
    visit.put(data_set, DCM_AcquisitionDateTime, Identity::Date, visit.date() + visit.time(1) + "+0100");
    visit.put(data_set, DCM_ImageComments, Identity::Text, visit.complaint());
    set(data_set, DCM_KVP, "120");
    set(data_set, DCM_XRayTubeCurrent, "210");
    set(data_set, DCM_ConvolutionKernel, "INV40");
    set(data_set, DCM_RescaleIntercept, "-1024");
    set(data_set, DCM_RescaleSlope, "1");
    set(data_set, DCM_RescaleType, "HU");
    set(data_set, DCM_WindowCenter, "40");
    set(data_set, DCM_WindowWidth, "400");
}

void save_slices(Visit& visit, Store& store, const Scale& scale, const std::string& folder)
{
    const Grid grid{.size = scale.ct_size};
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_series(data_set, visit);
    put_pixel_format(data_set, {.rows = grid.size, .columns = grid.size, .bits_stored = 12});
    for (unsigned slice = 0; slice < scale.ct_slices; ++slice) {
        const double z = height_of(slice, scale.ct_slices);
        put_instance(data_set, visit, UID_CTImageStorage, "ct slice", slice + 1);
        put_plane(data_set, grid, z, thickness_of(scale.ct_slices));
        auto random = visit.random(fmt::format("noise {}", slice));
        set(data_set, DCM_PixelData, draw(grid, z, stored_value, 10, random));
        store.save(file, fmt::format("{}/ct/{:04}.dcm", folder, slice + 1), "ct");
    }
}

} // namespace

void make_ct_study(Visit& visit, Store& store, const Scale& scale, const std::string& folder)
{
    save_slices(visit, store, scale, folder);
    make_structure_set(visit, store, scale, folder + "/rtstruct.dcm");
    make_report(visit, store, scale, folder + "/report.dcm");
}

} // namespace studies
