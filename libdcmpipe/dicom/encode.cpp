#include "dicom/encode.hpp"

#include "core/error.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::dicom {

namespace {

void append_number(std::string& out, std::uint32_t value, unsigned size, bool big_endian)
{
    for (unsigned i = 0; i < size; ++i) {
        const unsigned shift = 8 * (big_endian ? size - 1 - i : i);
        out += static_cast<char>(value >> shift & 0xffU);
    }
}

} // namespace

std::string encode_u16(std::uint16_t value, bool big_endian)
{
    std::string bytes;
    append_number(bytes, value, 2, big_endian);
    return bytes;
}

std::string encode_u32(std::uint32_t value, bool big_endian)
{
    std::string bytes;
    append_number(bytes, value, 4, big_endian);
    return bytes;
}

bool is_padded(Vr vr, std::string_view value, std::string_view bytes)
{
    const auto pad = value.size() % 2;
    return bytes.size() == value.size() + pad && bytes.starts_with(value) &&
           (pad == 0 || bytes.back() == padding(vr));
}

std::string encode_header(Tag tag, Vr vr, std::uint64_t length, Encoding encoding)
{
    if (length >= 0xffffffffU) {
        throw Error{ErrorKind::Input, fmt::format("{} would be longer than 4 GiB", tag)};
    }
    std::string header;
    append_number(header, tag.group(), 2, encoding.big_endian);
    append_number(header, tag.element(), 2, encoding.big_endian);
    if (encoding.explicit_vr && vr != vr::None) {
        const bool is_short = has_short_length(vr) && length <= 0xffff;
        header += to_string(has_short_length(vr) && !is_short ? vr::UN : vr);
        if (is_short) {
            append_number(header, static_cast<std::uint32_t>(length), 2, encoding.big_endian);
            return header;
        }
        header.append(2, '\0');
    }
    append_number(header, static_cast<std::uint32_t>(length), 4, encoding.big_endian);
    return header;
}

std::string encode_element(Tag tag, Vr vr, std::string_view value, Encoding encoding)
{
    const auto pad = value.size() % 2;
    auto element = encode_header(tag, vr, value.size() + pad, encoding);
    element.reserve(element.size() + value.size() + pad);
    return element.append(value).append(pad, padding(vr));
}

std::string encode_item(std::string_view elements, Encoding encoding)
{
    return encode_header(tags::Item, vr::None, elements.size(), encoding).append(elements);
}

std::string encode_file_meta(const FileMeta& meta)
{
    std::string group;
    const auto add = [&](Tag tag, Vr vr, std::string_view value) {
        if (!value.empty()) {
            group += encode_element(tag, vr, value, ExplicitLittleEndian);
        }
    };
    add(tags::FileMetaInformationVersion, vr::OB, std::string_view{"\0\1", 2});
    add(tags::MediaStorageSOPClassUID, vr::UI, meta.sop_class_uid);
    add(tags::MediaStorageSOPInstanceUID, vr::UI, meta.instance_uid);
    add(tags::TransferSyntaxUID, vr::UI, meta.transfer_syntax);
    add(tags::ImplementationClassUID, vr::UI, uid::Implementation);
    add(tags::ImplementationVersionName, vr::SH, uid::ImplementationVersionName);
    add(tags::SourceApplicationEntityTitle, vr::AE, meta.source_aet);
    add(tags::SendingApplicationEntityTitle, vr::AE, meta.sending_aet);
    add(tags::ReceivingApplicationEntityTitle, vr::AE, meta.receiving_aet);

    const auto length = encode_u32(static_cast<std::uint32_t>(group.size()));
    return std::string(preamble_size, '\0') + "DICM" +
           encode_element(Tag{0x0002, 0x0000}, vr::UL, length, ExplicitLittleEndian) + group;
}

} // namespace dcmpipe::dicom
