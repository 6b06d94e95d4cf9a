#include "capture.hpp"

#include "image.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

constexpr Grid grid{.size = 64, .field = 250};
constexpr double height = 190;

std::uint16_t gray(Tissue tissue)
{
    static constexpr std::array<std::uint16_t, 11> values{4, 90, 110, 240, 130, 70, 20, 150, 200, 10, 120};
    return values.at(static_cast<std::size_t>(tissue));
}

void put_all_but_pixels(DcmItem& data_set, Visit& visit, std::string_view name, unsigned number)
{
    put_patient_and_study(data_set, visit);
    put_series_and_equipment(
        data_set, visit,
        {.name = "captures",
         .modality = "OT",
         .description = "Captures",
         .manufacturer = "Invented Captures",
         .model = "Shutter Four",
         .number = 7});
    put_instance(data_set, visit, UID_SecondaryCaptureImageStorage, name, number);
    set(data_set, DCM_BodyPartExamined, "HEAD");
    set(data_set, DCM_ConversionType, "WSD");
    set(data_set, DCM_ImageType, "DERIVED\\SECONDARY");
    set(data_set, DCM_PatientOrientation, "L\\P");
    visit.put(data_set, DCM_DateOfSecondaryCapture, Identity::Date, visit.date());
    visit.put(data_set, DCM_TimeOfSecondaryCapture, Identity::Time, visit.time(5));
    visit.put(data_set, DCM_ImageComments, Identity::Text, visit.complaint());
}

} // namespace

void put_capture(DcmItem& data_set, Visit& visit, std::string_view name, unsigned number)
{
    put_all_but_pixels(data_set, visit, name, number);
    put_pixel_format(data_set, {.rows = grid.size, .columns = grid.size, .bits_stored = 12});
    set(data_set, DCM_PixelData, draw(grid, height, gray, 4, visit.random(name)));
}

void put_capture_of_bytes(
    DcmItem& data_set, Visit& visit, std::string_view name, unsigned number, bool colour)
{
    put_all_but_pixels(data_set, visit, name, number);
    put_pixel_format(
        data_set, {.rows = grid.size,
                   .columns = grid.size,
                   .bits_allocated = 8,
                   .bits_stored = 8,
                   .samples = static_cast<std::uint16_t>(colour ? 3 : 1),
                   .photometric = colour ? "RGB" : "MONOCHROME2"});
    std::string bytes;
    for (const auto value : draw(grid, height, gray, 4, visit.random(name))) {
        const auto level = static_cast<char>(std::min<std::uint16_t>(value, 255));
        bytes += level;
        if (colour) {
            bytes += static_cast<char>(level / 2);
            bytes += static_cast<char>(255 - value % 256);
        }
    }
    set_bytes(data_set, DCM_PixelData, bytes);
}

} // namespace studies
