#include "archive/dicomdir.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "dicom/encode.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <vector>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
using dicom::ElementIndex;

namespace {

constexpr auto encoding = dicom::ExplicitLittleEndian;
constexpr std::string_view file_set_id = "DCMPIPE";
constexpr std::uint16_t in_use = 0xffff;
constexpr unsigned most_levels = 8;

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

/// A record with its place among the others, in the order in which they stand in the file: depth first.
struct Placed {
    const DirectoryRecord* record;
    unsigned level;
    std::uint64_t offset; ///< all of them from the first record's
    std::string type;     ///< encoded
    std::uint64_t next = 0;
    std::uint64_t lower = 0;

    std::uint64_t size() const
    {
        return fixed_size + type.size() + record->reference.size() + record->keys.size();
    }
};

void place(const std::list<DirectoryRecord>& records, unsigned level, std::vector<Placed>& placed)
{
    auto sister = placed.size();
    for (const auto& record : records) {
        const auto offset = placed.empty() ? 0 : placed.back().offset + placed.back().size();
        const auto at = placed.size();
        placed.push_back(
            {&record, level, offset, encoded(tags::DirectoryRecordType, dicom::vr::CS, record.type)});
        if (at != sister) {
            placed[sister].next = offset;
        }
        sister = at;
        place(record.below, level + 1, placed);
        placed[at].lower = record.below.empty() ? 0 : placed[at + 1].offset;
    }
}

std::string content_of(const Placed& placed)
{
    return placed.type + placed.record->reference + placed.record->keys;
}

/// A UID (PS3.5 §B.2) that follows from the records and their order.
std::string uid_of(const std::string& file_set, const std::vector<Placed>& records)
{
    Sha256 digest;
    digest.add(file_set);
    for (const auto& placed : records) {
        digest.add(fmt::format("{} {}\n", placed.level, placed.size()));
        digest.add(content_of(placed));
    }
    const auto hex = digest.hex();
    std::array<std::uint8_t, 16> uuid{};
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, uuid[i], 16);
    }
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0fU) | 0x80U); // RFC 9562 §5.8: version 8
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3fU) | 0x80U);
    return dicom::uid::from_uuid(uuid);
}

/// A directory is all elements: a large one has more than an image may.
dicom::Limits directory_limits()
{
    dicom::Limits limits;
    limits.elements = 400'000'000;
    return limits;
}

/// Follows the offsets of a DICOMDIR.
class Reader {
public:
    explicit Reader(const dicom::Instance& file) : file_(file), data_set_(file.data_set())
    {
        const auto sequence = data_set_.find(tags::DirectoryRecordSequence);
        if (sequence == ElementIndex::None || data_set_.encoding() != encoding) {
            refuse("not a DICOMDIR");
        }
        for (auto item = data_set_.first_child(sequence); item < data_set_.end_of(sequence);
             item = data_set_[item].end) {
            items_.emplace(file.data_set_offset() + data_set_[item].offset, item);
        }
    }

    std::list<DirectoryRecord> roots()
    {
        return chain(
            offset_in(tags::OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, ElementIndex::None), 1);
    }

    std::string file_set() const
    {
        std::string elements;
        for (const auto tag :
             {tags::FileSetID, tags::FileSetDescriptorFileID,
              tags::SpecificCharacterSetOfFileSetDescriptorFile}) {
            if (const auto index = data_set_.find(tag); index != ElementIndex::None) {
                elements += data_set_.raw(data_set_[index]);
            }
        }
        return elements;
    }

private:
    [[noreturn]] void refuse(std::string_view reason) const
    {
        throw Error{ErrorKind::Input, "cannot read", file_.name(), reason};
    }

    std::uint32_t offset_in(dicom::Tag tag, std::uint32_t item) const
    {
        const auto index = data_set_.find(tag, item);
        return index == ElementIndex::None || data_set_[index].length != 4
                   ? 0
                   : dicom::read_u32(data_set_.value(data_set_[index]), 0, false);
    }

    std::list<DirectoryRecord> chain(std::uint32_t offset, unsigned level)
    {
        if (level > most_levels) {
            refuse("its records are too deep");
        }
        std::list<DirectoryRecord> records;
        while (offset != 0) {
            const auto found = items_.find(offset);
            if (found == items_.end()) {
                refuse("an offset in it leads to no record, or twice to one");
            }
            const auto item = found->second;
            items_.erase(found);
            auto record = record_of(item);
            record.below =
                chain(offset_in(tags::OffsetOfReferencedLowerLevelDirectoryEntity, item), level + 1);
            if (data_set_.unsigned_short(tags::RecordInUseFlag, in_use, item) != 0) {
                records.push_back(std::move(record));
            }
            offset = offset_in(tags::OffsetOfTheNextDirectoryRecord, item);
        }
        return records;
    }

    DirectoryRecord record_of(std::uint32_t item) const
    {
        DirectoryRecord record;
        record.type = data_set_.text(tags::DirectoryRecordType, item);
        for (auto child = data_set_.first_child(item); child < data_set_.end_of(item);
             child = data_set_[child].end) {
            const auto& element = data_set_[child];
            if (element.tag <= tags::DirectoryRecordType || element.tag == tags::MRDRDirectoryRecordOffset) {
                continue; // made anew, or an offset of old
            }
            auto& part =
                element.tag.group() == tags::ReferencedFileID.group() ? record.reference : record.keys;
            part += data_set_.raw(element);
        }
        return record;
    }

    const dicom::Instance& file_;
    const ElementIndex& data_set_;
    std::map<std::uint64_t, std::uint32_t> items_; ///< by their offset in the file; not yet reached
};

} // namespace

Directory::Directory() : file_set(encoded(tags::FileSetID, dicom::vr::CS, file_set_id)) {}

Directory Directory::read(const fs::path& dicomdir)
{
    const auto file = dicom::Instance::open(dicomdir, directory_limits());
    Reader reader{file};
    Directory directory;
    directory.file_set = reader.file_set();
    directory.roots = reader.roots();
    return directory;
}

std::string Directory::bytes() const
{
    std::vector<Placed> records;
    place(roots, 1, records);
    const auto length = records.empty() ? 0 : records.back().offset + records.back().size();

    auto bytes = dicom::encode_file_meta(
        {.sop_class_uid = std::string{dicom::uid::MediaStorageDirectoryStorage},
         .instance_uid = uid_of(file_set, records),
         .transfer_syntax = std::string{dicom::transfer_syntax::ExplicitVRLittleEndian},
         .source_aet = {},
         .sending_aet = {},
         .receiving_aet = {}});
    const auto sequence =
        dicom::encode_header(tags::DirectoryRecordSequence, dicom::vr::SQ, length, encoding);
    const auto first = bytes.size() + file_set.size() + 12 + 12 + 10 + sequence.size();
    if (first + length > std::numeric_limits<std::uint32_t>::max()) {
        throw Error{ErrorKind::Output, "cannot write the DICOMDIR: it would be larger than 4 GiB"};
    }
    const auto absolute = [&](std::uint64_t offset) { return offset == 0 ? 0 : first + offset; };
    const auto last =
        std::find_if(records.rbegin(), records.rend(), [](const auto& r) { return r.level == 1; });

    bytes.reserve(first + length);
    bytes += file_set;
    bytes += encoded_offset(
        tags::OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, records.empty() ? 0 : first);
    bytes += encoded_offset(
        tags::OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity,
        last == records.rend() ? 0 : first + last->offset);
    bytes += encoded(tags::FileSetConsistencyFlag, dicom::vr::US, dicom::encode_u16(0));
    bytes += sequence;
    for (const auto& placed : records) {
        bytes += dicom::encode_header(tags::Item, dicom::vr::None, placed.size() - 8, encoding);
        bytes += encoded_offset(tags::OffsetOfTheNextDirectoryRecord, absolute(placed.next));
        bytes += encoded(tags::RecordInUseFlag, dicom::vr::US, dicom::encode_u16(in_use));
        bytes += encoded_offset(tags::OffsetOfReferencedLowerLevelDirectoryEntity, absolute(placed.lower));
        bytes += content_of(placed);
    }
    return bytes;
}

std::string text_of(const std::string& elements, dicom::Tag tag)
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
