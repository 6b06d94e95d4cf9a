#include "dicom/instance.hpp"

#include "core/error.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

namespace dcmpipe::dicom {

namespace {

constexpr Tag no_last{0xffffffffU};

/// The group of the first element as a reader of either byte order sees it. Data sets start low (0008), so
/// the right order gives the smaller number.
bool starts_big_endian(std::string_view bytes)
{
    return read_u16(bytes, 0, true) < read_u16(bytes, 0, false);
}

/// What the first element of a data set shows of its encoding; nothing where no data set starts so.
std::optional<Encoding> evident_encoding(std::string_view bytes)
{
    if (bytes.size() < 8) {
        return std::nullopt;
    }
    const bool big_endian = starts_big_endian(bytes);
    const auto group = read_u16(bytes, 0, big_endian);
    if (group == 0 || group > 0x0020) {
        return std::nullopt;
    }
    return Encoding{is_standard(make_vr(bytes[4], bytes[5])), big_endian};
}

std::string_view syntax_of(Encoding encoding)
{
    if (!encoding.explicit_vr) {
        return transfer_syntax::ImplicitVRLittleEndian;
    }
    return encoding.big_endian ? transfer_syntax::ExplicitVRBigEndian
                               : transfer_syntax::ExplicitVRLittleEndian;
}

/// One of the two syntaxes that differ in nothing but how their elements name a VR.
bool is_native(std::string_view syntax)
{
    return syntax == transfer_syntax::ImplicitVRLittleEndian ||
           syntax == transfer_syntax::ExplicitVRLittleEndian;
}

/// The file meta information is explicit VR little endian (PS3.10 §7.1) and ends where another group
/// starts, whatever its group length says.
std::uint64_t end_of_meta(std::string_view bytes, std::uint64_t start)
{
    auto position = start;
    while (bytes.size() - position >= 8 && read_u16(bytes, position, false) == 0x0002) {
        const auto vr = make_vr(bytes[position + 4], bytes[position + 5]);
        const bool is_short = has_short_length(vr);
        if (!is_short && bytes.size() - position < 12) {
            break;
        }
        const std::uint64_t length =
            is_short ? read_u16(bytes, position + 6, false) : read_u32(bytes, position + 8, false);
        position += (is_short ? 8U : 12U);
        if (length > bytes.size() - position) {
            throw Error{ErrorKind::Input, "the file meta information is cut short"};
        }
        position += length;
    }
    return position;
}

/// After the prefix, or 0 where there is none. `DICM` may also stand by chance in a bare data set.
std::uint64_t start_of_meta(std::string_view bytes)
{
    constexpr std::uint64_t after_prefix = preamble_size + 4;
    if (!has_prefix(bytes)) {
        return 0;
    }
    const bool meta_follows =
        bytes.size() >= after_prefix + 8 && read_u16(bytes, after_prefix, false) == 0x0002;
    return !meta_follows && evident_encoding(bytes) ? 0 : after_prefix;
}

} // namespace

bool has_prefix(std::string_view bytes) noexcept
{
    return bytes.size() >= preamble_size + 4 && bytes.substr(preamble_size, 4) == "DICM";
}

Instance Instance::open(const std::filesystem::path& path, const Limits& limits)
{
    return open_head(path, no_last, limits);
}

Instance Instance::open_head(const std::filesystem::path& path, Tag last, const Limits& limits)
{
    Instance instance;
    instance.file_ = std::make_unique<FileBytes>(FileBytes::open(path));
    instance.bytes_ = instance.file_->view();
    instance.name_ = path.native();
    instance.read(last, limits);
    return instance;
}

Instance Instance::from_bytes(std::string_view bytes, std::string_view name, const Limits& limits)
{
    Instance instance;
    instance.bytes_ = bytes;
    instance.name_ = name;
    instance.read(no_last, limits);
    return instance;
}

std::optional<Instance> Instance::from_first_bytes(std::string_view bytes, Tag last, const Limits& limits)
{
    Instance instance;
    instance.bytes_ = bytes;
    try {
        instance.read(last, limits);
    } catch (const Error&) {
        return std::nullopt;
    }
    // The walk ends before the first element past `last`, or where there is nothing more: only the first
    // tells that nothing up to `last` is missing.
    const auto& data_set = instance.data_set_;
    const auto next = data_set.end_offset();
    if (data_set.bytes().size() - next < 4) {
        return std::nullopt;
    }
    const bool big_endian = data_set.encoding().big_endian;
    const Tag tag{
        read_u16(data_set.bytes(), next, big_endian), read_u16(data_set.bytes(), next + 2, big_endian)};
    return tag > last ? std::optional{std::move(instance)} : std::nullopt;
}

void Instance::read(Tag last, const Limits& limits)
{
    try {
        const auto start = start_of_meta(bytes_);
        data_set_offset_ = end_of_meta(bytes_, start);
        if (start == 0 && data_set_offset_ == 0 && !evident_encoding(bytes_)) {
            throw Error{ErrorKind::Input, "not a DICOM file"};
        }
        const auto meta = bytes_.substr(start, data_set_offset_ - start);
        meta_ = ElementIndex::walk(meta, ExplicitLittleEndian, limits);
        read_data_set(last, limits);
    } catch (const Error& error) {
        throw Error{error.kind(), "cannot read", name_, error.reason()};
    }
}

void Instance::read_data_set(Tag last, const Limits& limits)
{
    auto bytes = bytes_.substr(data_set_offset_);
    transfer_syntax_ = uid::trimmed(meta_.text(tags::TransferSyntaxUID));
    if (transfer_syntax::is_deflated(transfer_syntax_)) {
        inflated_ = std::make_unique<Inflated>(bytes, limits.inflated);
        bytes = inflated_->view();
    }
    if (bytes.empty()) {
        throw Error{ErrorKind::Input, "no data set follows the file meta information"};
    }
    const auto evident = evident_encoding(bytes);
    auto encoding = transfer_syntax::encoding_of(transfer_syntax_);
    if (transfer_syntax_.empty()) {
        encoding = evident.value_or(ImplicitLittleEndian);
        transfer_syntax_ = syntax_of(encoding);
    } else if (evident && evident->big_endian == encoding.big_endian && *evident != encoding) {
        // Named one of explicit and implicit VR, written in the other: read as written, and named so.
        if (!is_native(transfer_syntax_)) {
            throw Error{ErrorKind::Input, "its transfer syntax is explicit VR, its elements are implicit VR"};
        }
        encoding = *evident;
        transfer_syntax_ = syntax_of(encoding);
    }
    data_set_ = ElementIndex::walk_until(last, bytes, encoding, limits);
}

std::string_view Instance::sop_class_uid() const noexcept
{
    const auto uid = data_set_.text(tags::SOPClassUID);
    return uid.empty() ? meta_.text(tags::MediaStorageSOPClassUID) : uid;
}

std::string_view Instance::study_uid() const noexcept
{
    return data_set_.text(tags::StudyInstanceUID);
}

std::string_view Instance::series_uid() const noexcept
{
    return data_set_.text(tags::SeriesInstanceUID);
}

std::string_view Instance::instance_uid() const noexcept
{
    const auto uid = data_set_.text(tags::SOPInstanceUID);
    return uid.empty() ? meta_.text(tags::MediaStorageSOPInstanceUID) : uid;
}

} // namespace dcmpipe::dicom
