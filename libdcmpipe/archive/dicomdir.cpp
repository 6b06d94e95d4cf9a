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
    /// What the records hold is kept in `directory`.
    Reader(const dicom::Instance& file, Directory& directory)
        : file_(file), data_set_(file.data_set()), directory_(directory)
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
        std::string reference;
        std::string keys;
        for (auto child = data_set_.first_child(item); child < data_set_.end_of(item);
             child = data_set_[child].end) {
            const auto& element = data_set_[child];
            if (element.tag <= tags::DirectoryRecordType || element.tag == tags::MRDRDirectoryRecordOffset) {
                continue; // made anew, or an offset of old
            }
            auto& part = element.tag.group() == tags::ReferencedFileID.group() ? reference : keys;
            part += data_set_.raw(element);
        }
        const auto type = data_set_.text(tags::DirectoryRecordType, item);
        return {directory_.keep(type), directory_.keep(reference), directory_.keep(keys)};
    }

    const dicom::Instance& file_;
    const ElementIndex& data_set_;
    Directory& directory_;
    std::map<std::uint64_t, std::uint32_t> items_; ///< by their offset in the file; not yet reached
};

} // namespace

Directory::Directory()
    : file_set(encoded(tags::FileSetID, dicom::vr::CS, file_set_id)),
      kept_(std::make_unique<std::pmr::monotonic_buffer_resource>())
{
}

Directory Directory::read(const fs::path& dicomdir)
{
    const auto file = dicom::Instance::open(dicomdir, directory_limits());
    Directory directory;
    Reader reader{file, directory};
    directory.file_set = reader.file_set();
    directory.roots = reader.roots();
    return directory;
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
        bytes += encoded(tags::RecordInUseFlag, dicom::vr::US, dicom::encode_u16(in_use));
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
