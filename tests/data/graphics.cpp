#include "capture.hpp"
#include "image.hpp"
#include "studies.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

constexpr unsigned size = 64;

/// A frame around the image, a bit a pixel (PS3.3 §C.9.2).
std::string overlay_bits()
{
    std::string bits(size * size / 8, '\0');
    for (unsigned i = 0; i < size; ++i) {
        for (const unsigned pixel : {i, (size - 1) * size + i, i * size, i * size + size - 1}) {
            bits[pixel / 8] = static_cast<char>(bits[pixel / 8] | 1 << pixel % 8);
        }
    }
    return bits;
}

DcmTag in_group(unsigned group, const DcmTagKey& tag, DcmEVR vr)
{
    return {static_cast<Uint16>(group), tag.getElement(), DcmVR{vr}};
}

void put_overlay(DcmItem& data_set, Visit& visit, unsigned group)
{
    set(data_set, in_group(group, DCM_OverlayRows, EVR_US), std::uint16_t{size});
    set(data_set, in_group(group, DCM_OverlayColumns, EVR_US), std::uint16_t{size});
    set(data_set, in_group(group, DCM_OverlayType, EVR_CS), "G");
    const Sint16 origin[] = {1, 1};
    check(
        data_set.putAndInsertSint16Array(in_group(group, DCM_OverlayOrigin, EVR_SS), origin, 2),
        "cannot set the origin");
    set(data_set, in_group(group, DCM_OverlayBitsAllocated, EVR_US), std::uint16_t{1});
    set(data_set, in_group(group, DCM_OverlayBitPosition, EVR_US), std::uint16_t{0});
    visit.put(
        data_set, in_group(group, DCM_OverlayDescription, EVR_LO), Identity::Text,
        fmt::format("{} {:04x}", visit.patient_id(), group));
    visit.put(
        data_set, in_group(group, DCM_OverlayLabel, EVR_LO), Identity::Text,
        fmt::format("OV{}", visit.patient_number("overlay", 8)));
    set_bytes(data_set, in_group(group, DCM_OverlayData, EVR_OB), overlay_bits());
}

/// Retired, and still found in old archives (PS3.3-2004 §C.10.2).
void put_curve(DcmItem& data_set, Visit& visit)
{
    set(data_set, DcmTag{0x5000, 0x0005, DcmVR{EVR_US}}, std::uint16_t{1});
    set(data_set, DcmTag{0x5000, 0x0010, DcmVR{EVR_US}}, std::uint16_t{4});
    set(data_set, DcmTag{0x5000, 0x0020, DcmVR{EVR_CS}}, "ECG");
    visit.put(data_set, DcmTag{0x5000, 0x0022, DcmVR{EVR_LO}}, Identity::Text, "curve " + visit.patient_id());
    set(data_set, DcmTag{0x5000, 0x0103, DcmVR{EVR_US}}, std::uint16_t{0});
    set_bytes(data_set, DcmTag{0x5000, 0x3000, DcmVR{EVR_OB}}, std::string{"\1\0\2\0\3\0\4\0", 8});
}

void put_icon(DcmItem& data_set, Visit& visit)
{
    DcmItem& icon = add_item(data_set, DCM_IconImageSequence);
    put_pixel_format(icon, {.rows = 16, .columns = 16, .bits_allocated = 8, .bits_stored = 8});
    std::string pixels(256, '\0');
    const auto text = "ICON" + visit.patient_number("icon", 9);
    pixels.replace(64, text.size(), text);
    visit.note(Identity::Text, "IconImageSequence", text, text);
    set_bytes(icon, DCM_PixelData, pixels);
}

} // namespace

void make_graphics(Visit& visit, Store& store, const std::string& folder)
{
    {
        DcmFileFormat file;
        put_capture(*file.getDataset(), visit, "overlays", 1);
        put_overlay(*file.getDataset(), visit, 0x6000);
        put_overlay(*file.getDataset(), visit, 0x6002);
        store.save(file, folder + "/overlays.dcm", "overlays");
    }
    {
        DcmFileFormat file;
        put_capture(*file.getDataset(), visit, "curve", 1);
        put_curve(*file.getDataset(), visit);
        store.save(file, folder + "/curve.dcm", "curve");
    }
    {
        DcmFileFormat file;
        put_capture(*file.getDataset(), visit, "icon", 1);
        put_icon(*file.getDataset(), visit);
        store.save(file, folder + "/icon.dcm", "icon");
    }
    {
        DcmFileFormat file;
        put_capture_of_bytes(*file.getDataset(), visit, "burned in", 1, /*colour=*/false);
        set(*file.getDataset(), DCM_BurnedInAnnotation, "YES");
        store.save(file, folder + "/burned-in.dcm", "burned-in");
    }
}

} // namespace studies
