#include "hidden.hpp"

#include "capture.hpp"
#include "private_blocks.hpp"
#include "studies.hpp"

#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcwcache.h>

#include <stdexcept>

namespace studies {

namespace {

std::string number_bytes(std::uint32_t number, unsigned size)
{
    std::string bytes;
    for (unsigned i = 0; i < size; ++i) {
        bytes += static_cast<char>(number >> 8 * i);
    }
    return bytes;
}

/// An item with identity two sequences deep.
void fill(DcmItem& item, Visit& visit)
{
    const Person& person = visit.person();
    visit.put(item, DCM_PatientName, Identity::Name, person.name);
    visit.put(item, DCM_PatientID, Identity::Id, visit.patient_id());
    DcmItem& request = add_item(item, DCM_RequestAttributesSequence);
    visit.put(request, DCM_AccessionNumber, Identity::Id, "HID" + visit.study_number("hidden", 9));
    visit.put(request, DCM_RequestingPhysician, Identity::Name, person.referring);
}

DcmTag private_un(unsigned element)
{
    return {0x0029, static_cast<Uint16>(element), DcmVR{EVR_UN}};
}

void save_hidden_sequences(Visit& visit, Store& store, const std::string& path)
{
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_capture(data_set, visit, "hidden", 1);
    put_private_blocks(data_set, visit);
    const DcmTag undefined = private_un(0x1133);
    DcmItem item;
    fill(item, visit);
    put_hidden(data_set, private_un(0x1130), item, EXS_LittleEndianImplicit, EET_ExplicitLength);
    put_hidden(data_set, private_un(0x1131), item, EXS_LittleEndianExplicit, EET_ExplicitLength);
    put_hidden(data_set, private_un(0x1132), item, EXS_LittleEndianImplicit, EET_UndefinedLength);
    put_hidden(data_set, undefined, item, EXS_LittleEndianImplicit, EET_UndefinedLength);
    // A public sequence whose writer did not know it.
    DcmItem equipment;
    visit.put(equipment, DCM_InstitutionName, Identity::Institution, visit.person().institution);
    visit.put(equipment, DCM_OperatorsName, Identity::Name, visit.person().tech);
    put_hidden(
        data_set, DcmTag{DCM_ContributingEquipmentSequence, DcmVR{EVR_UN}}, equipment,
        EXS_LittleEndianImplicit, EET_ExplicitLength);
    store.save(file, path, "hidden-sequences", {.finish = [&](std::string& bytes) {
                   undefine_length(bytes, undefined);
               }});
}

/// What an earlier coercion replaced is still there (PS3.3 §C.12.1.1.9).
void save_original_attributes(Visit& visit, Store& store, const std::string& path)
{
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_capture(data_set, visit, "original attributes", 1);
    DcmItem& original = add_item(data_set, DCM_OriginalAttributesSequence);
    visit.put(original, DCM_AttributeModificationDateTime, Identity::Date, visit.date() + visit.time(9));
    visit.put(original, DCM_ModifyingSystem, Identity::Device, "PACS" + visit.patient_number("pacs", 6));
    visit.put(original, DCM_SourceOfPreviousValues, Identity::Institution, visit.person().institution);
    set(original, DCM_ReasonForTheAttributeModification, "COERCE");
    DcmItem& old = add_item(original, DCM_ModifiedAttributesSequence);
    visit.put(old, DCM_PatientName, Identity::Name, visit.person().birth_name);
    visit.put(old, DCM_PatientID, Identity::Id, "OLD" + visit.patient_number("old id", 8));
    visit.put(old, DCM_PatientBirthDate, Identity::Date, visit.person().birth_date);
    store.save(file, path, "original-attributes");
}

} // namespace

std::string item_bytes(DcmItem& item, E_TransferSyntax syntax, E_EncodingType lengths)
{
    std::string room(64 * 1024, '\0');
    DcmOutputBufferStream stream{room.data(), static_cast<offile_off_t>(room.size())};
    DcmWriteCache cache;
    item.transferInit();
    check(item.write(stream, syntax, lengths, &cache), "cannot encode an item");
    item.transferEnd();
    void* data = nullptr;
    offile_off_t size = 0;
    stream.flushBuffer(data, size);
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

void put_hidden(
    DcmItem& data_set, const DcmTag& tag, DcmItem& item, E_TransferSyntax inside, E_EncodingType lengths)
{
    set_bytes(data_set, tag, item_bytes(item, inside, lengths));
}

void undefine_length(std::string& bytes, const DcmTagKey& tag)
{
    const auto header =
        number_bytes(tag.getGroup(), 2) + number_bytes(tag.getElement(), 2) + std::string{"UN\0\0", 4};
    const auto place = bytes.find(header);
    if (place == std::string::npos) {
        throw std::runtime_error{"no such UN element"};
    }
    const auto length_at = place + header.size();
    std::uint32_t length = 0;
    for (unsigned i = 0; i < 4; ++i) {
        length |= std::uint32_t{static_cast<unsigned char>(bytes[length_at + i])} << 8 * i;
    }
    bytes.insert(
        length_at + 4 + length, number_bytes(0xfffe, 2) + number_bytes(0xe0dd, 2) + number_bytes(0, 4));
    bytes.replace(length_at, 4, "\xff\xff\xff\xff");
}

void make_hidden(Visit& visit, Store& store, const std::string& folder)
{
    save_hidden_sequences(visit, store, folder + "/hidden-sequences.dcm");
    save_original_attributes(visit, store, folder + "/original-attributes.dcm");
}

} // namespace studies
