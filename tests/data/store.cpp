#include "store.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace studies {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> references_in(DcmItem& data_set)
{
    std::vector<std::string> references;
    DcmStack stack;
    while (data_set.nextObject(stack, /*intoSub=*/true).good()) {
        if (stack.top()->getTag() != DCM_ReferencedSOPInstanceUID) {
            continue;
        }
        OFString uid;
        check(dynamic_cast<DcmElement&>(*stack.top()).getOFString(uid, 0), "cannot read a reference");
        if (std::find(references.begin(), references.end(), uid.c_str()) == references.end()) {
            references.emplace_back(uid.c_str());
        }
    }
    return references;
}

void finish(const fs::path& path, const std::function<void(std::string&)>& change)
{
    std::ifstream in{path, std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    change(bytes);
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) {
        throw std::runtime_error{"cannot write " + path.string()};
    }
}

} // namespace

void Store::save(DcmFileFormat& file, const std::string& path, std::string_view what, const Form& form)
{
    const auto full = folder_ / path;
    fs::create_directories(full.parent_path());
    check(
        file.saveFile(
            full.c_str(), form.syntax, form.lengths, form.groups,
            form.pad_to > 0 ? EPD_withPadding : EPD_withoutPadding, form.pad_to, form.pad_items_to,
            EWM_updateMeta),
        "cannot write " + full.string());
    if (form.finish) {
        finish(full, form.finish);
    }
    DcmItem& data_set = *file.getDataset();
    ledger_.instance(
        {.path = path,
         .what = std::string{what},
         .patient_id = text_of(data_set, DCM_PatientID),
         .study_uid = text_of(data_set, DCM_StudyInstanceUID),
         .series_uid = text_of(data_set, DCM_SeriesInstanceUID),
         .instance_uid = text_of(data_set, DCM_SOPInstanceUID),
         .sop_class_uid = text_of(data_set, DCM_SOPClassUID),
         .transfer_syntax = DcmXfer{form.syntax}.getXferID(),
         .references = references_in(data_set)});
}

} // namespace studies
