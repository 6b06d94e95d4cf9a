#include "deid/rewritten.hpp"

#include "dicom/charset.hpp"
#include "dicom/encode.hpp"
#include "dicom/inflate.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>

namespace dcmpipe::deid {

void NewValues::set(dicom::Tag tag, std::string_view text)
{
    auto place = values_.end();
    if (!values_.empty() && !(values_.back().first < tag)) {
        place = std::lower_bound(values_.begin(), values_.end(), tag, before);
        if (place != values_.end() && place->first == tag) {
            place->second = text;
            return;
        }
    }
    values_.emplace(place, tag, text);
}

const std::string* NewValues::find(dicom::Tag tag) const
{
    const auto place = std::lower_bound(values_.begin(), values_.end(), tag, before);
    return place != values_.end() && place->first == tag ? &place->second : nullptr;
}

std::string Rewritten::text(const dicom::Instance& from, dicom::Tag tag) const
{
    const auto* const found = replaced.find(tag);
    const dicom::CharacterSet characters{from.data_set().text(dicom::tags::SpecificCharacterSet)};
    return characters.to_utf8(found != nullptr ? dicom::uid::trimmed(*found) : from.data_set().text(tag));
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
