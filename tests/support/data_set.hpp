#pragma once

#include "dicom/encode.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"

#include <string>
#include <string_view>

namespace dcmpipe::test {

/// A data set for a test, encoded element by element in the order they are added.
class DataSet {
public:
    explicit DataSet(dicom::Encoding encoding = dicom::ExplicitLittleEndian) : encoding_(encoding) {}

    DataSet& add(dicom::Tag tag, dicom::Vr vr, std::string_view value)
    {
        bytes_ += dicom::encode_element(tag, vr, value, encoding_);
        return *this;
    }
    /// A sequence of the given items, of defined length throughout.
    DataSet& add_sequence(dicom::Tag tag, std::initializer_list<DataSet> items)
    {
        std::string content;
        for (const auto& item : items) {
            content += dicom::encode_item(item.bytes(), encoding_);
        }
        return add(tag, dicom::vr::SQ, content);
    }
    DataSet& add_raw(std::string_view bytes)
    {
        bytes_ += bytes;
        return *this;
    }

    const std::string& bytes() const { return bytes_; }

    /// As a file with preamble and file meta information.
    std::string file(std::string_view transfer_syntax = dicom::transfer_syntax::ExplicitVRLittleEndian) const
    {
        const auto index = dicom::ElementIndex::walk(bytes_, encoding_);
        return dicom::encode_file_meta(
                   {.sop_class_uid = std::string{index.text(dicom::tags::SOPClassUID)},
                    .instance_uid = std::string{index.text(dicom::tags::SOPInstanceUID)},
                    .transfer_syntax = std::string{transfer_syntax},
                    .source_aet = {},
                    .sending_aet = {},
                    .receiving_aet = {}}) +
               bytes_;
    }

private:
    dicom::Encoding encoding_;
    std::string bytes_;
};

/// The attributes every instance of a test needs.
inline DataSet small_instance(
    std::string_view instance_uid = "1.2.3.4.5", dicom::Encoding encoding = dicom::ExplicitLittleEndian)
{
    namespace tags = dicom::tags;
    namespace vr = dicom::vr;
    DataSet data_set{encoding};
    data_set.add(tags::SOPClassUID, vr::UI, "1.2.840.10008.5.1.4.1.1.7");
    data_set.add(tags::SOPInstanceUID, vr::UI, instance_uid);
    data_set.add(tags::StudyDate, vr::DA, "20240131");
    data_set.add(tags::Modality, vr::CS, "OT");
    data_set.add(tags::PatientName, vr::PN, "Doe^Jane");
    data_set.add(tags::PatientID, vr::LO, "MRN-77 ");
    data_set.add(tags::PatientBirthDate, vr::DA, "19700203");
    data_set.add(tags::StudyInstanceUID, vr::UI, "1.2.3");
    data_set.add(tags::SeriesInstanceUID, vr::UI, "1.2.3.4");
    return data_set;
}

} // namespace dcmpipe::test
