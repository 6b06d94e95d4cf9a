#include "retrieve/info.hpp"

#include "core/csv.hpp"
#include "core/json_file.hpp"
#include "core/output_file.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"

namespace dcmpipe::retrieve {

std::string info_header(bool by_image)
{
    std::vector<std::string> cells;
    for (const auto tag : info_columns()) {
        cells.push_back(dicom::dictionary::name_of(tag));
    }
    cells.push_back(dicom::dictionary::name_of(dicom::tags::NumberOfSeriesRelatedInstances));
    if (by_image) {
        cells.insert(cells.end(), {"SOPInstanceUID", "SOPClassUID"});
    }
    return csv_line(cells);
}

std::string info_line(const FoundSeries& series, const FoundInstance* instance)
{
    std::vector<std::string> cells;
    for (const auto tag : info_columns()) {
        cells.emplace_back(value_of(series.attributes, tag));
    }
    const auto count = series.instances_known ? series.instances.size() : series.count;
    cells.push_back(count ? std::to_string(*count) : std::string{});
    if (instance != nullptr) {
        cells.insert(cells.end(), {instance->uid, instance->sop_class_uid});
    }
    return csv_line(cells);
}

void write_info(const FoundSeries& series, const std::filesystem::path& series_folder)
{
    auto path = series_folder;
    path += ".csv";
    const auto line = info_line(series);
    // Series of the same number and description share a folder, and then this file.
    auto text = std::filesystem::exists(path) ? read_text_file(path) : info_header();
    if (text.find("\r\n" + line) == text.npos) {
        make_folders(path.parent_path());
        write_text_file(path, text + line);
    }
}

} // namespace dcmpipe::retrieve
