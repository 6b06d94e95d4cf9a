#include "deid/changes.hpp"

#include "dicom/encode.hpp"
#include "dicom/tags.hpp"

namespace dcmpipe::deid {

namespace tags = dicom::tags;
using dicom::Element;
using dicom::ElementIndex;
using dicom::Tag;
using dicom::Vr;

Changes::Changes(const dicom::Instance& instance)
    : instance_(instance), data_set_(instance.data_set()), rewriter_(data_set_)
{
}

void Changes::replace(std::uint32_t element, std::string_view value)
{
    const Element& old = data_set_[element];
    if (!old.container && dicom::is_padded(old.vr, value, data_set_.value(old))) {
        return;
    }
    replace_raw(element, dicom::encode_element(old.tag, old.vr, value, old.encoding), value);
}

void Changes::replace_raw(std::uint32_t element, std::string encoded)
{
    replace_raw(element, std::move(encoded), {});
}

void Changes::replace_raw(std::uint32_t element, std::string encoded, std::string_view text)
{
    rewriter_.replace_raw(element, std::move(encoded));
    took(element, text);
}

void Changes::remove(std::uint32_t element)
{
    rewriter_.remove(element);
    took(element);
}

void Changes::took(std::uint32_t element, std::string_view text)
{
    auto at_top = element;
    while (data_set_[at_top].parent != ElementIndex::None) {
        at_top = data_set_[at_top].parent;
    }
    const Element& top = data_set_[at_top];
    result_.originals.elements.add(top.tag, data_set_.raw(top));
    if (element == at_top && !top.tag.is_private()) {
        result_.replaced.set(top.tag, text);
    }
}

void Changes::set(Tag tag, Vr vr, std::string_view value)
{
    const auto there = data_set_.find(tag);
    if (there == ElementIndex::None) {
        rewriter_.insert(ElementIndex::None, tag, vr, value);
        result_.originals.added.push_back(tag);
        result_.replaced.set(tag, value);
        return;
    }
    const auto encoded = dicom::encode_element(tag, vr, value, data_set_[there].encoding);
    if (encoded != data_set_.raw(data_set_[there])) {
        replace_raw(there, encoded, value);
    }
}

/// Beside what was changed: what tells later whose it is, and in which characters it is written.
void Changes::remember_whose_it_is()
{
    for (const auto tag :
         {tags::SpecificCharacterSet, tags::SOPInstanceUID, tags::PatientName, tags::PatientID,
          tags::StudyInstanceUID, tags::SeriesInstanceUID}) {
        if (const auto i = data_set_.find(tag); i != ElementIndex::None) {
            result_.originals.elements.add(tag, data_set_.raw(data_set_[i]));
        }
    }
}

std::string Changes::uid_of_output(Tag tag) const
{
    const auto* const replaced = result_.replaced.find(tag);
    return replaced != nullptr ? *replaced : std::string{data_set_.text(tag)};
}

Deidentified Changes::finish(std::int64_t patient)
{
    auto& originals = result_.originals;
    remember_whose_it_is();
    originals.instance_uid = uid_of_output(tags::SOPInstanceUID);
    originals.series_uid = uid_of_output(tags::SeriesInstanceUID);
    originals.study_uid = uid_of_output(tags::StudyInstanceUID);
    originals.patient = patient;
    originals.transfer_syntax = instance_.transfer_syntax();
    rewriter_.remove_trailing();
    result_.file = file_image(instance_, originals.instance_uid, rewriter_.finish());
    return std::move(result_);
}

} // namespace dcmpipe::deid
