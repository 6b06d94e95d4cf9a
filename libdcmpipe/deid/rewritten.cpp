#include "deid/rewritten.hpp"

#include "dicom/charset.hpp"
#include "dicom/encode.hpp"
#include "dicom/inflate.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

namespace dcmpipe::deid {

std::string Rewritten::text(const dicom::Instance& from, dicom::Tag tag) const
{
    const auto found = replaced.find(tag);
    const dicom::CharacterSet characters{from.data_set().text(dicom::tags::SpecificCharacterSet)};
    return characters.to_utf8(
        found != replaced.end() ? dicom::uid::trimmed(found->second) : from.data_set().text(tag));
}

dicom::Layout::Place Rewritten::place(const dicom::Instance& from, const dicom::Layout& layout) const
{
    return layout.place_of([&](dicom::Tag tag) { return text(from, tag); });
}

Rope file_image(const dicom::Instance& from, const std::string& instance_uid, Rope data_set)
{
    Rope file;
    file.own(dicom::encode_file_meta(
        {.sop_class_uid = std::string{from.sop_class_uid()},
         .instance_uid = instance_uid,
         .transfer_syntax = from.transfer_syntax(),
         .source_aet = {},
         .sending_aet = {},
         .receiving_aet = {}}));
    if (from.is_deflated()) {
        file.own(dicom::deflate(data_set.str()));
    } else {
        file.append(std::move(data_set));
    }
    return file;
}

} // namespace dcmpipe::deid
