#include "studies.hpp"

#include <fmt/format.h>

namespace studies {

namespace {

std::string pdf(std::string_view line)
{
    const auto stream = fmt::format("BT /F1 14 Tf 40 740 Td ({}) Tj ET", line);
    const std::string objects[] = {
        "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        fmt::format("<< /Length {} >>\nstream\n{}\nendstream", stream.size(), stream),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"};
    std::string bytes = "%PDF-1.4\n";
    std::string table = "xref\n0 6\n0000000000 65535 f \n";
    int number = 0;
    for (const auto& object : objects) {
        table += fmt::format("{:010} 00000 n \n", bytes.size());
        bytes += fmt::format("{} 0 obj\n{}\nendobj\n", ++number, object);
    }
    const auto start = bytes.size();
    bytes += table + fmt::format(
                         "trailer << /Size 6 /Root 1 0 R /Info << /Title ({}) >> >>\nstartxref\n{}\n%%EOF\n",
                         line, start);
    return bytes.append(bytes.size() % 2, '\n');
}

} // namespace

void make_document(Visit& visit, Store& store, const std::string& folder)
{
    DcmFileFormat file;
    DcmItem& data_set = *file.getDataset();
    put_patient_and_study(data_set, visit);
    put_series_and_equipment(
        data_set, visit,
        {.name = "document",
         .modality = "DOC",
         .description = "Letter",
         .manufacturer = "Invented Paper",
         .model = "Letter Five",
         .number = 9});
    put_instance(data_set, visit, UID_EncapsulatedPDFStorage, "document", 1);
    visit.put(data_set, DCM_AcquisitionDateTime, Identity::Date, visit.date() + visit.time());
    set(data_set, DCM_ConversionType, "WSD");
    set(data_set, DCM_BurnedInAnnotation, "YES");
    const auto line =
        "Letter about " + visit.patient_id() + " born " + std::string{visit.person().birth_date};
    visit.put(data_set, DCM_DocumentTitle, Identity::Text, line);
    check(data_set.insertEmptyElement(DCM_ConceptNameCodeSequence), "cannot add an empty sequence");
    set(data_set, DCM_MIMETypeOfEncapsulatedDocument, "application/pdf");
    set_bytes(data_set, DCM_EncapsulatedDocument, pdf(line));
    store.save(file, folder + "/document.dcm", "pdf");
}

} // namespace studies
