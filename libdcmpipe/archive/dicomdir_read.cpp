#include "archive/dicomdir.hpp"

#include "core/error.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"

#include <map>

namespace dcmpipe::archive {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
using dicom::ElementIndex;

namespace {

constexpr auto encoding = dicom::ExplicitLittleEndian;
constexpr unsigned most_levels = 8;

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
            if (data_set_.unsigned_short(tags::RecordInUseFlag, record_in_use, item) != 0) {
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

Directory Directory::read(const fs::path& dicomdir)
{
    const auto file = dicom::Instance::open(dicomdir, directory_limits());
    Directory directory;
    Reader reader{file, directory};
    directory.file_set = reader.file_set();
    directory.roots = reader.roots();
    return directory;
}

} // namespace dcmpipe::archive
