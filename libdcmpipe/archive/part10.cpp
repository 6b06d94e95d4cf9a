#include "archive/part10.hpp"

#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::archive {

namespace {

namespace tags = dicom::tags;

constexpr std::array plain_syntaxes{
    dicom::transfer_syntax::ImplicitVRLittleEndian, dicom::transfer_syntax::ExplicitVRLittleEndian,
    dicom::transfer_syntax::ExplicitVRBigEndian};

bool says(const dicom::Instance& instance, dicom::Tag tag, std::string_view value)
{
    return !value.empty() && instance.meta().text(tag) == value;
}

} // namespace

/// Only where a plain syntax is named can the bytes be in another.
std::string syntax_of(const dicom::Instance& instance)
{
    const auto& named = instance.transfer_syntax();
    if (std::find(plain_syntaxes.begin(), plain_syntaxes.end(), named) != plain_syntaxes.end()) {
        for (const auto syntax : plain_syntaxes) {
            if (dicom::transfer_syntax::encoding_of(syntax) == instance.data_set().encoding()) {
                return std::string{syntax};
            }
        }
    }
    return named;
}

bool is_part10(const dicom::Instance& instance)
{
    return dicom::has_prefix(instance.bytes()) &&
           says(instance, tags::TransferSyntaxUID, syntax_of(instance)) &&
           says(instance, tags::MediaStorageSOPClassUID, instance.sop_class_uid()) &&
           says(instance, tags::MediaStorageSOPInstanceUID, instance.instance_uid());
}

Rope part10_of(const dicom::Instance& instance)
{
    Rope file;
    if (is_part10(instance)) {
        file.borrow(instance.bytes());
        return file;
    }
    file.own(dicom::encode_file_meta(
        {.sop_class_uid = std::string{instance.sop_class_uid()},
         .instance_uid = std::string{instance.instance_uid()},
         .transfer_syntax = syntax_of(instance),
         .source_aet = std::string{instance.meta().text(tags::SourceApplicationEntityTitle)},
         .sending_aet = {},
         .receiving_aet = {}}));
    file.borrow(instance.bytes().substr(instance.data_set_offset()));
    return file;
}

} // namespace dcmpipe::archive
