#include "deid/marks.hpp"

#include "deid/table.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::ElementIndex;

namespace {

std::string code_item(std::string_view code, std::string_view meaning, dicom::Encoding encoding)
{
    return dicom::encode_item(
        dicom::encode_element(tags::CodeValue, vr::SH, code, encoding) +
            dicom::encode_element(tags::CodingSchemeDesignator, vr::SH, "DCM", encoding) +
            dicom::encode_element(tags::CodeMeaning, vr::LO, meaning, encoding),
        encoding);
}

/// The items that stand there, but for those that say what we say.
std::string earlier_items(const ElementIndex& data_set, const std::string& ours)
{
    const auto sequence = data_set.find(tags::DeidentificationMethodCodeSequence);
    std::string items;
    if (sequence == ElementIndex::None || !data_set[sequence].is_sequence()) {
        return items;
    }
    for (auto i = data_set.first_child(sequence); i < data_set.end_of(sequence); i = data_set[i].end) {
        const auto code = data_set.text(tags::CodeValue, i);
        if (!data_set[i].undefined_length && ours.find(code) == std::string::npos) {
            items += data_set.raw(data_set[i]);
        }
    }
    return items;
}

std::string method_of(const Profile& profile, const ElementIndex& data_set)
{
    const auto ours =
        fmt::format("dcmpipe: PS3.15 {}, profile {}", table_edition, profile.name).substr(0, 64);
    const auto earlier = data_set.text(tags::DeidentificationMethod);
    const bool said = earlier.empty() || earlier.find(ours) != std::string_view::npos;
    return said ? ours : fmt::format("{}\\{}", earlier, ours);
}

std::string_view temporal_information(const Profile& profile)
{
    if (profile.options.has(Option::RetainLongitudinalFullDates)) {
        return "UNMODIFIED";
    }
    return profile.options.has(Option::RetainLongitudinalModifiedDates) ? "MODIFIED" : "REMOVED";
}

} // namespace

std::vector<Mark> marks_of(const Profile& profile, const dicom::Instance& instance, bool pixels_cleaned)
{
    const auto& data_set = instance.data_set();
    const auto encoding = data_set.encoding();
    auto codes = code_item("113100", "Basic Application Confidentiality Profile", encoding);
    for (const auto& name : option_names()) {
        // Pixel data is claimed clean only where a rule cleaned it.
        const bool done =
            name.option == Option::CleanPixelData ? pixels_cleaned : profile.options.has(name.option);
        if (done) {
            codes += code_item(name.code, name.meaning, encoding);
        }
    }
    return {
        {tags::PatientIdentityRemoved, vr::CS, "YES"},
        {tags::DeidentificationMethod, vr::LO, method_of(profile, data_set)},
        {tags::DeidentificationMethodCodeSequence, vr::SQ, earlier_items(data_set, codes) + codes},
        {tags::LongitudinalTemporalInformationModified, vr::CS, std::string{temporal_information(profile)}},
    };
}

} // namespace dcmpipe::deid
