#include "capture.hpp"
#include "studies.hpp"
#include "text.hpp"

#include <algorithm>

namespace studies {

namespace {

constexpr std::size_t preamble_size = 128;

/// A capture in another form of the same.
void save_plain(
    Visit& visit, Store& store, const std::string& folder, std::string_view what, const Form& form)
{
    DcmFileFormat file;
    put_capture(*file.getDataset(), visit, what, 1);
    store.save(file, folder + "/" + std::string{what} + ".dcm", what, form);
}

/// Without preamble and file meta information: the data set alone.
void cut_to_data_set(std::string& bytes)
{
    constexpr std::size_t group_length_at = preamble_size + 4 + 8;
    const auto length = static_cast<unsigned char>(bytes[group_length_at]) +
                        256U * static_cast<unsigned char>(bytes[group_length_at + 1]);
    bytes.erase(0, group_length_at + 4 + length);
}

bool beyond_ascii(DcmObject& object)
{
    auto* const text = dynamic_cast<DcmByteString*>(&object);
    OFString value;
    return text != nullptr && text->getOFStringArray(value).good() &&
           std::any_of(value.begin(), value.end(), [](char c) { return (c & 0x80) != 0 || c == '\x1b'; });
}

/// All sequences, and all text that needs a character set.
void leave_out_text(DcmItem& data_set)
{
    for (unsigned long i = data_set.card(); i-- > 0;) {
        DcmElement& element = *data_set.getElement(i);
        if (element.ident() == EVR_SQ || beyond_ascii(element)) {
            delete data_set.remove(i);
        }
    }
}

/// No (0008,0005), yet bytes beyond ASCII: Latin-1 as many old devices write it.
void save_undeclared(Visit& visit, Store& store, const std::string& folder)
{
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_capture(data_set, visit, "undeclared character set", 1);
    leave_out_text(data_set);
    check(data_set.findAndDeleteElement(DCM_ResponsiblePersonRole), "cannot leave out the role");
    constexpr std::string_view latin1 = "ISO_IR 100";
    visit.put_in(data_set, DCM_PatientName, Identity::Name, "Çelebi-Øre^Anaïs", latin1);
    visit.put_in(data_set, DCM_ReferringPhysicianName, Identity::Name, "Ångström^Håkon", latin1);
    visit.put_in(data_set, DCM_InstitutionName, Identity::Institution, "Hôpital Sans-Lieu", latin1);
    check(data_set.findAndDeleteElement(DCM_SpecificCharacterSet), "cannot leave out the character set");
    store.save(file, folder + "/undeclared-characters.dcm", "undeclared-characters");
}

/// An item that is written in another character set than the data set around it.
void save_item_character_set(Visit& visit, Store& store, const std::string& folder)
{
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_capture(data_set, visit, "item character set", 1);
    DcmItem& item = add_item(data_set, DCM_ContributingEquipmentSequence);
    add_code(item, DCM_PurposeOfReferenceCodeSequence, "109103", "DCM", "Modifying Equipment");
    constexpr std::string_view greek = "ISO_IR 126";
    set(item, DCM_SpecificCharacterSet, greek);
    set(item, DCM_Manufacturer, "Invented Scanners");
    visit.put_in(item, DCM_InstitutionName, Identity::Institution, "Ινστιτούτο Αλλού", greek);
    visit.put_in(item, DCM_OperatorsName, Identity::Name, "Ξενόγλωσσος^Ιάσων", greek);
    store.save(file, folder + "/item-character-set.dcm", "item-character-set");
}

/// Identity where no data set is: preamble, file meta information, file name, bytes after the end.
void save_around_the_data_set(Visit& visit, Store& store, const std::string& folder)
{
    DcmFileFormat file;
    put_capture(*file.getDataset(), visit, "around", 1);
    DcmItem& meta = *file.getMetaInfo();
    visit.put_in(
        meta, DCM_SourceApplicationEntityTitle, Identity::Device, "AE" + visit.patient_number("ae", 9), "");
    const auto creator = visit.uid("private information");
    visit.put_uid(meta, DCM_PrivateInformationCreatorUID, "private information");
    const auto secret = "info " + visit.patient_number("private information", 10);
    set_bytes(meta, DCM_PrivateInformation, secret + " ");
    visit.note(Identity::Text, "PrivateInformation", secret, secret);
    const auto preamble = "PREAMBLE " + visit.patient_number("preamble", 10);
    visit.note(Identity::Text, "preamble", preamble, preamble);
    const auto name = "Zukunft_Ida_" + visit.patient_number("file name", 8);
    visit.note(Identity::Name, "file name", name, name);
    store.save(file, folder + "/" + name + ".dcm", "around-the-data-set", {.finish = [&](std::string& bytes) {
                   bytes.replace(0, preamble.size(), preamble);
               }});
}

} // namespace

void make_encodings(Visit& visit, Store& store, const std::string& folder)
{
    const auto cut = [](std::string& bytes) { cut_to_data_set(bytes); };
    save_plain(visit, store, folder, "big-endian", {.syntax = EXS_BigEndianExplicit});
    save_plain(
        visit, store, folder, "big-endian-lengths",
        {.syntax = EXS_BigEndianExplicit, .lengths = EET_ExplicitLength});
    save_plain(visit, store, folder, "deflated", {.syntax = EXS_DeflatedLittleEndianExplicit});
    save_plain(visit, store, folder, "implicit", {.syntax = EXS_LittleEndianImplicit});
    save_plain(visit, store, folder, "defined-lengths", {.lengths = EET_ExplicitLength});
    save_plain(visit, store, folder, "group-lengths", {.lengths = EET_ExplicitLength, .groups = EGL_withGL});
    save_plain(
        visit, store, folder, "group-lengths-implicit",
        {.syntax = EXS_LittleEndianImplicit, .groups = EGL_withGL});
    save_plain(visit, store, folder, "trailing-padding", {.pad_to = 2048, .pad_items_to = 64});
    save_plain(visit, store, folder, "trailing-zeros", {.finish = [](std::string& bytes) {
                   bytes.append(300, '\0');
               }});
    save_plain(visit, store, folder, "no-meta", {.finish = cut});
    save_plain(visit, store, folder, "no-meta-implicit", {.syntax = EXS_LittleEndianImplicit, .finish = cut});
    save_plain(visit, store, folder, "no-preamble", {.finish = [](std::string& bytes) {
                   bytes.erase(0, preamble_size + 4);
               }});
    save_undeclared(visit, store, folder);
    save_item_character_set(visit, store, folder);
    save_around_the_data_set(visit, store, folder);
}

} // namespace studies
