#include "private_blocks.hpp"

#include "hidden.hpp"
#include "text.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

constexpr std::string_view vendor_a = "INVENTED VENDOR A";
constexpr std::string_view vendor_b = "INVENTED VENDOR B";

DcmTag tag(unsigned group, unsigned element, DcmEVR vr)
{
    return {static_cast<Uint16>(group), static_cast<Uint16>(element), DcmVR{vr}};
}

/// Names fields and values in one blob, as private headers of scanners do.
void put_binary_header(DcmItem& data_set, const DcmTag& where, Visit& visit)
{
    const Person& person = visit.person();
    const auto name = encode_text(person.name, person.character_set);
    auto blob = std::string{"INV1\0\0\0\x04", 8};
    blob += fmt::format("PatientName={}", name) + '\0';
    blob += fmt::format("StudyDate={}", visit.date()) + '\0';
    blob += fmt::format("DeviceKey=K{}", visit.patient_number("device key", 10)) + '\0';
    blob.append(512 - blob.size() % 512, '\0');
    set_bytes(data_set, where, blob);
    const auto key = "K" + visit.patient_number("device key", 10);
    visit.note(Identity::Device, "private header", key, key);
}

void put_vendor_a(DcmItem& data_set, Visit& visit)
{
    const Person& person = visit.person();
    set(data_set, tag(0x29, 0x10, EVR_LO), vendor_a);
    visit.put(
        data_set, tag(0x29, 0x1001, EVR_LO), Identity::Name, person.name.substr(0, person.name.find('^')));
    visit.put_uid(data_set, tag(0x29, 0x1002, EVR_UI), "private acquisition");
    visit.put(data_set, tag(0x29, 0x1003, EVR_DA), Identity::Date, visit.date());
    set(data_set, tag(0x29, 0x1005, EVR_IS), "42");
    put_binary_header(data_set, tag(0x29, 0x1010, EVR_OB), visit);

    DcmItem& outer = add_item(data_set, tag(0x29, 0x1020, EVR_SQ));
    visit.put(outer, DCM_PatientName, Identity::Name, person.name);
    set(outer, tag(0x29, 0x10, EVR_LO), vendor_a);
    visit.put(outer, tag(0x29, 0x1021, EVR_PN), Identity::Name, person.tech);
    visit.put_uid(outer, tag(0x29, 0x1022, EVR_UI), "private series");
    DcmItem& inner = add_item(outer, tag(0x29, 0x1023, EVR_SQ));
    visit.put(inner, DCM_InstitutionName, Identity::Institution, person.institution);
    set(inner, tag(0x29, 0x10, EVR_LO), vendor_a);
    visit.put(inner, tag(0x29, 0x1024, EVR_DT), Identity::Date, visit.date() + visit.time(3));
    visit.put(inner, tag(0x29, 0x1025, EVR_LO), Identity::Id, "PRV" + visit.study_number("private", 9));
}

void put_vendor_b(DcmItem& data_set, Visit& visit)
{
    const Person& person = visit.person();
    set(data_set, tag(0x29, 0x11, EVR_LO), vendor_b);
    visit.put(data_set, tag(0x29, 0x1101, EVR_SH), Identity::Id, "B" + visit.study_number("vendor b", 9));
    visit.put(data_set, tag(0x29, 0x1102, EVR_DT), Identity::Date, visit.date() + visit.time(4));
    visit.put(data_set, tag(0x29, 0x1103, EVR_UT), Identity::Text, visit.complaint());

    DcmItem item;
    visit.put(item, DCM_PatientName, Identity::Name, person.name);
    visit.put(item, DCM_PatientBirthDate, Identity::Date, person.birth_date);
    visit.put_uid(item, DCM_StudyInstanceUID, "study");
    put_hidden(data_set, tag(0x29, 0x1110, EVR_UN), item, EXS_LittleEndianImplicit, EET_ExplicitLength);
}

} // namespace

void put_private_blocks(DcmItem& data_set, Visit& visit)
{
    put_vendor_a(data_set, visit);
    put_vendor_b(data_set, visit);
    set(data_set, tag(0x51, 0x10, EVR_LO), vendor_a);
    visit.put(data_set, tag(0x51, 0x1008, EVR_CS), Identity::Device, "KEY_" + visit.patient_number("51", 7));
    set(data_set, tag(0x51, 0x1009, EVR_FD), "0.5\\1.25");
}

} // namespace studies
