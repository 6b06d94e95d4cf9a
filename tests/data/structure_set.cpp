#include "image.hpp"
#include "studies.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

constexpr std::array contoured{"Brain", "Lung right", "Lung left", "Heart"};

const Ellipsoid& organ(std::string_view name)
{
    const auto all = body();
    return *std::find_if(all.begin(), all.end(), [&](const Ellipsoid& e) { return e.name == name; });
}

/// The frame of reference, the study, the series and every slice of it (PS3.3 §C.8.8.5).
void put_referenced_frame(DcmItem& data_set, Visit& visit, const Scale& scale)
{
    DcmItem& frame = add_item(data_set, DCM_ReferencedFrameOfReferenceSequence);
    visit.put_uid(frame, DCM_FrameOfReferenceUID, "frame of reference");
    // Here a Referenced SOP Instance UID holds the UID of a study.
    DcmItem& study = add_reference(
        frame, DCM_RTReferencedStudySequence, UID_RETIRED_DetachedStudyManagementSOPClass,
        visit.uid("study"));
    DcmItem& series = add_item(study, DCM_RTReferencedSeriesSequence);
    visit.put_uid(series, DCM_SeriesInstanceUID, "ct");
    for (unsigned slice = 1; slice <= scale.ct_slices; ++slice) {
        add_reference(
            series, DCM_ContourImageSequence, UID_CTImageStorage,
            visit.uid(fmt::format("ct slice {}", slice)));
    }
}

void put_contours(DcmItem& roi, const Ellipsoid& ellipsoid, Visit& visit, const Scale& scale)
{
    for (unsigned slice = 0; slice < scale.ct_slices; ++slice) {
        const double z = height_of(slice, scale.ct_slices);
        const auto points = outline(ellipsoid, z);
        if (points.empty()) {
            continue;
        }
        DcmItem& contour = add_item(roi, DCM_ContourSequence);
        add_reference(
            contour, DCM_ContourImageSequence, UID_CTImageStorage,
            visit.uid(fmt::format("ct slice {}", slice + 1)));
        set(contour, DCM_ContourGeometricType, "CLOSED_PLANAR");
        set(contour, DCM_NumberOfContourPoints, std::to_string(points.size()));
        std::string data;
        for (const auto& [x, y] : points) {
            data += fmt::format("{}{:.2f}\\{:.2f}\\{:.3f}", data.empty() ? "" : "\\", x, y, z);
        }
        set(contour, DCM_ContourData, data);
    }
}

void put_regions(DcmItem& data_set, Visit& visit, const Scale& scale)
{
    unsigned number = 0;
    for (const std::string_view name : contoured) {
        const auto text = std::to_string(++number);
        DcmItem& region = add_item(data_set, DCM_StructureSetROISequence);
        set(region, DCM_ROINumber, text);
        visit.put_uid(region, DCM_ReferencedFrameOfReferenceUID, "frame of reference");
        set(region, DCM_ROIName, name);
        visit.put(region, DCM_ROIDescription, Identity::Text, visit.complaint());
        set(region, DCM_ROIGenerationAlgorithm, "MANUAL");

        DcmItem& contours = add_item(data_set, DCM_ROIContourSequence);
        set(contours, DCM_ReferencedROINumber, text);
        set(contours, DCM_ROIDisplayColor, fmt::format("{}\\{}\\64", 60 * number, 250 - 50 * number));
        put_contours(contours, organ(name), visit, scale);

        DcmItem& observation = add_item(data_set, DCM_RTROIObservationsSequence);
        set(observation, DCM_ObservationNumber, text);
        set(observation, DCM_ReferencedROINumber, text);
        set(observation, DCM_RTROIInterpretedType, "ORGAN");
        visit.put(observation, DCM_ROIInterpreter, Identity::Name, visit.person().reading);
    }
}

} // namespace

void make_structure_set(Visit& visit, Store& store, const Scale& scale, const std::string& path)
{
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_patient_and_study(data_set, visit);
    put_series_and_equipment(
        data_set, visit,
        {.name = "rtstruct",
         .modality = "RTSTRUCT",
         .description = "Contours",
         .manufacturer = "Invented Planning",
         .model = "Contour Two",
         .number = 2});
    put_instance(data_set, visit, UID_RTStructureSetStorage, "rtstruct", 1);
    visit.put_uid(data_set, DCM_FrameOfReferenceUID, "frame of reference");
    set(data_set, DCM_PositionReferenceIndicator, "");
    set(data_set, DCM_StructureSetLabel, "ORGANS");
    visit.put(data_set, DCM_StructureSetDescription, Identity::Text, visit.complaint());
    visit.put(data_set, DCM_StructureSetDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_StructureSetTime, Identity::Time, visit.time(40));
    set(data_set, DCM_ApprovalStatus, "APPROVED");
    visit.put(data_set, DCM_ReviewDate, Identity::Date, visit.date());
    visit.put(data_set, DCM_ReviewTime, Identity::Time, visit.time(50));
    visit.put(data_set, DCM_ReviewerName, Identity::Name, visit.person().reading);
    put_referenced_frame(data_set, visit, scale);
    put_regions(data_set, visit, scale);
    store.save(file, path, "rtstruct");
}

} // namespace studies
