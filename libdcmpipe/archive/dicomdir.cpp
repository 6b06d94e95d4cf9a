#include "archive/dicomdir.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace tags = dicom::tags;
using dicom::ElementIndex;

namespace {

constexpr auto encoding = dicom::ExplicitLittleEndian;
constexpr std::string_view file_set_id = "DCMPIPE";
constexpr std::size_t write_at_once = 256U * 1024U;

std::string encoded(dicom::Tag tag, dicom::Vr vr, std::string_view value)
{
    return dicom::encode_element(tag, vr, value, encoding);
}

std::string encoded_offset(dicom::Tag tag, std::uint64_t offset)
{
    return encoded(tag, dicom::vr::UL, dicom::encode_u32(static_cast<std::uint32_t>(offset)));
}

/// Item header, Offset of the Next Directory Record, In-use Flag, Offset of the Lower-Level Directory Entity.
constexpr std::uint64_t fixed_size = 8 + 12 + 10 + 12;

std::string type_element(const DirectoryRecord& record)
{
    return encoded(tags::DirectoryRecordType, dicom::vr::CS, record.type);
}

std::uint64_t size_of(const DirectoryRecord& record)
{
    return fixed_size + type_element(record).size() + record.reference.size() + record.keys.size();
}

/// What a record leads to: offsets from the first record's, 0 for none.
struct Links {
    std::uint64_t next = 0;
    std::uint64_t lower = 0;
};

/// The records in the order in which they stand in the file: depth first.
struct Placed {
    std::vector<Links> links;
    std::uint64_t end = 0;       ///< of the last
    std::uint64_t last_root = 0; ///< offset
};

void place(const std::list<DirectoryRecord>& records, unsigned level, Placed& placed)
{
    auto sister = placed.links.size();
    for (const auto& record : records) {
        const auto offset = placed.end;
        const auto at = placed.links.size();
        placed.end += size_of(record);
        placed.links.push_back({0, record.below.empty() ? 0 : placed.end});
        if (at != sister) {
            placed.links[sister].next = offset;
        }
        if (level == 1) {
            placed.last_root = offset;
        }
        sister = at;
        place(record.below, level + 1, placed);
    }
}

using Visitor = std::function<void(const DirectoryRecord& record, unsigned level)>;

void visit(const std::list<DirectoryRecord>& records, unsigned level, const Visitor& visitor)
{
    for (const auto& record : records) {
        visitor(record, level);
        visit(record.below, level + 1, visitor);
    }
}

/// A UID (PS3.5 §B.2) that follows from the records and their order.
std::string uid_of(const std::string& file_set, const std::list<DirectoryRecord>& roots)
{
    Sha256 digest;
    digest.add(file_set);
    visit(roots, 1, [&](const DirectoryRecord& record, unsigned level) {
        digest.add(fmt::format("{} {}\n{}", level, size_of(record), type_element(record)));
        digest.add(record.reference);
        digest.add(record.keys);
    });
    const auto hex = digest.hex();
    std::array<std::uint8_t, 16> uuid{};
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, uuid[i], 16);
    }
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0fU) | 0x80U); // RFC 9562 §5.8: version 8
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3fU) | 0x80U);
    return dicom::uid::from_uuid(uuid);
}

} // namespace

Directory::Directory()
    : file_set(encoded(tags::FileSetID, dicom::vr::CS, file_set_id)),
      kept_(std::make_unique<std::pmr::monotonic_buffer_resource>())
{
}

std::string_view Directory::keep(std::string_view text)
{
    auto* const copy = static_cast<char*>(kept_->allocate(text.size() + 1, 1));
    return {copy, text.copy(copy, text.size())};
}

void Directory::write(const std::function<void(std::string_view piece)>& sink) const
{
    Placed placed;
    place(roots, 1, placed);

    auto bytes = dicom::encode_file_meta(
        {.sop_class_uid = std::string{dicom::uid::MediaStorageDirectoryStorage},
         .instance_uid = uid_of(file_set, roots),
         .transfer_syntax = std::string{dicom::transfer_syntax::ExplicitVRLittleEndian},
         .source_aet = {},
         .sending_aet = {},
         .receiving_aet = {}});
    const auto sequence =
        dicom::encode_header(tags::DirectoryRecordSequence, dicom::vr::SQ, placed.end, encoding);
    const auto first = bytes.size() + file_set.size() + 12 + 12 + 10 + sequence.size();
    if (first + placed.end > std::numeric_limits<std::uint32_t>::max()) {
        throw Error{ErrorKind::Output, "cannot write the DICOMDIR: it would be larger than 4 GiB"};
    }
    const auto absolute = [&](std::uint64_t offset) { return offset == 0 ? 0 : first + offset; };

    bytes += file_set;
    bytes += encoded_offset(
        tags::OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, roots.empty() ? 0 : first);
    bytes += encoded_offset(
        tags::OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity,
        roots.empty() ? 0 : first + placed.last_root);
    bytes += encoded(tags::FileSetConsistencyFlag, dicom::vr::US, dicom::encode_u16(0));
    bytes += sequence;
    auto links = placed.links.begin();
    visit(roots, 1, [&](const DirectoryRecord& record, unsigned) {
        bytes += dicom::encode_header(tags::Item, dicom::vr::None, size_of(record) - 8, encoding);
        bytes += encoded_offset(tags::OffsetOfTheNextDirectoryRecord, absolute(links->next));
        bytes += encoded(tags::RecordInUseFlag, dicom::vr::US, dicom::encode_u16(record_in_use));
        bytes += encoded_offset(tags::OffsetOfReferencedLowerLevelDirectoryEntity, absolute(links->lower));
        bytes += type_element(record);
        bytes += record.reference;
        bytes += record.keys;
        ++links;
        if (bytes.size() >= write_at_once) {
            sink(bytes);
            bytes.clear();
        }
    });
    sink(bytes);
}

std::string Directory::bytes() const
{
    std::string all;
    write([&](std::string_view piece) { all += piece; });
    return all;
}

bool Directory::is(std::string_view bytes) const
{
    bool same = true;
    write([&](std::string_view piece) {
        same = same && bytes.starts_with(piece);
        bytes.remove_prefix(std::min(piece.size(), bytes.size()));
    });
    return same && bytes.empty();
}

std::string text_of(std::string_view elements, dicom::Tag tag)
{
    return std::string{ElementIndex::walk(elements, encoding).text(tag)};
}

std::string file_id_of(const DirectoryRecord& record)
{
    auto id = text_of(record.reference, tags::ReferencedFileID);
    std::replace(id.begin(), id.end(), '\\', '/');
    return id;
}

} // namespace dcmpipe::archive
