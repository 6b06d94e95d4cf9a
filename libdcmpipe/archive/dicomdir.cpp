#include "archive/dicomdir.hpp"

#include "core/error.hpp"
#include "dicom/encode.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcddirif.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/oflog/oflog.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

constexpr const char* file_set_id = "DCMPIPE";

/// The elements that hold an offset into the file (PS3.3 Table F.3-2).
constexpr std::array offsets{
    tags::OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity,
    tags::OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity,
    tags::OffsetOfTheNextDirectoryRecord,
    tags::OffsetOfReferencedLowerLevelDirectoryEntity,
};

/// Where DCMTK looks for a study's date and time; after that it takes today's, which is nobody's.
constexpr std::array dates{tags::StudyDate, tags::SeriesDate, tags::AcquisitionDate, tags::ContentDate};
constexpr std::array times{tags::StudyTime, tags::SeriesTime, tags::AcquisitionTime, tags::ContentTime};

struct Undated {
    bool date = false;
    bool time = false;
};

constexpr std::string_view no_date = "19000101";
constexpr std::string_view no_time = "000000";

bool has_none(const dicom::ElementIndex& data_set, std::span<const dicom::Tag> tags)
{
    return std::all_of(tags.begin(), tags.end(), [&](auto tag) { return data_set.text(tag).empty(); });
}

/// Patient and study of a File ID, its components parted by `/` or, as in a record, by backslashes.
std::string study_of(std::string_view file_id)
{
    std::string study{file_id.substr(0, std::string_view{"PT000000/ST000000"}.size())};
    std::replace(study.begin(), study.end(), '\\', '/');
    return study;
}

/// DCMTK's own messages hold attribute values: they stay away from stderr.
void start_dcmtk()
{
    static const bool started = [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        return dcmDataDict.isDictionaryLoaded();
    }();
    if (!started) {
        throw Error{ErrorKind::Output, "DCMTK finds no data dictionary: is DCMDICTPATH wrong?"};
    }
}

/// A directory is all elements: a large one has more than an image may.
dicom::Limits directory_limits()
{
    dicom::Limits limits;
    limits.elements = 400'000'000;
    return limits;
}

std::uint64_t count_files(const dicom::ElementIndex& data_set)
{
    const auto elements = data_set.elements();
    return static_cast<std::uint64_t>(std::count_if(
        elements.begin(), elements.end(), [](const auto& e) { return e.tag == tags::ReferencedFileID; }));
}

/// DCMTK gives each DICOMDIR a UID by chance. Ours is another and may be longer or shorter; then all that
/// follows moves, and every offset in it with it.
class Finish {
public:
    Finish(const dicom::Instance& directory, std::string_view uid)
        : records_(directory.data_set()),
          bytes_(dicom::encode_file_meta(
              {.sop_class_uid = std::string{dicom::uid::MediaStorageDirectoryStorage},
               .instance_uid = std::string{uid},
               .transfer_syntax = std::string{dicom::transfer_syntax::ExplicitVRLittleEndian},
               .source_aet = {},
               .sending_aet = {},
               .receiving_aet = {}})),
          start_(bytes_.size()), moved_(start_ - directory.data_set_offset())
    {
        bytes_ += directory.bytes().substr(directory.data_set_offset());
    }

    void move_offsets()
    {
        for (const auto& element : records_.elements()) {
            if (element.length == 4 &&
                std::find(offsets.begin(), offsets.end(), element.tag) != offsets.end()) {
                const auto old = dicom::read_u32(records_.value(element), 0, false);
                put(element, dicom::encode_u32(old == 0 ? 0 : static_cast<std::uint32_t>(old + moved_)));
            }
        }
    }

    /// A study's record comes before those of its files (PS3.3 §F.2: DCMTK writes depth first).
    void take_back_todays_date(const std::map<std::string, Undated>& studies)
    {
        auto study = dicom::ElementIndex::None;
        for (const auto& element : records_.elements()) {
            if (element.tag == tags::DirectoryRecordType &&
                records_.text(element.tag, element.parent) == "STUDY") {
                study = element.parent;
            } else if (element.tag == tags::ReferencedFileID && study != dicom::ElementIndex::None) {
                const auto found = studies.find(study_of(records_.value(element)));
                const auto undated = found == studies.end() ? Undated{} : found->second;
                if (undated.date) {
                    put(study, tags::StudyDate, no_date);
                }
                if (undated.time) {
                    put(study, tags::StudyTime, no_time);
                }
                study = dicom::ElementIndex::None;
            }
        }
    }

    std::string bytes() && { return std::move(bytes_); }

private:
    void put(const dicom::Element& element, std::string_view value)
    {
        bytes_.replace(start_ + element.value_offset(), value.size(), value);
    }

    void put(std::uint32_t record, dicom::Tag tag, std::string_view value)
    {
        const auto index = records_.find(tag, record);
        if (index != dicom::ElementIndex::None && records_[index].length == value.size()) {
            put(records_[index], value);
        }
    }

    const dicom::ElementIndex& records_;
    std::string bytes_;
    std::uint64_t start_;
    std::uint64_t moved_; ///< modulo 2^64, so it may stand for a step back
};

} // namespace

struct DicomDir::Impl {
    fs::path root;
    fs::path work_file;
    DicomDirInterface dcmtk;
    std::uint64_t files = 0;
    std::map<std::string, Undated> studies; ///< by study_of()

    OFCondition add(const std::string& file_id, bool invent)
    {
        dcmtk.enableInventMode(invent ? OFTrue : OFFalse);
        return dcmtk.addDicomFile(OFFilename{file_id.c_str()}, OFFilename{root.c_str()});
    }
};

DicomDir::DicomDir(fs::path root, fs::path work_file) : impl_(std::make_unique<Impl>())
{
    start_dcmtk();
    impl_->root = std::move(root);
    impl_->work_file = std::move(work_file);
    auto& dcmtk = impl_->dcmtk;
    dcmtk.disableBackupMode();
    dcmtk.disableTransferSyntaxCheck();
    dcmtk.disableConsistencyCheck();
    dcmtk.enableRetiredSOPClassSupport();
    const auto made = dcmtk.createNewDicomDir(
        DicomDirInterface::AP_GeneralPurpose, OFFilename{impl_->work_file.c_str()}, file_set_id);
    if (made.bad()) {
        throw Error{ErrorKind::Output, "cannot make", impl_->work_file.string(), made.text()};
    }
}

DicomDir::~DicomDir() = default;

/// To invent, DCMTK goes through all records so far: only for those few that need it.
void DicomDir::add(const std::string& file_id, const dicom::ElementIndex& data_set)
{
    auto added = impl_->add(file_id, false);
    if (added.bad()) {
        added = impl_->add(file_id, true);
    }
    if (added.bad()) {
        throw Error{ErrorKind::Input, "cannot make a directory record of", file_id, added.text()};
    }
    ++impl_->files;
    // DCMTK makes the study's record of the first file that it takes.
    impl_->studies.try_emplace(
        study_of(file_id), Undated{has_none(data_set, dates), has_none(data_set, times)});
}

std::string DicomDir::finish(std::string_view uid)
{
    const auto& work_file = impl_->work_file;
    const auto written = impl_->dcmtk.writeDicomDir(EET_ExplicitLength, EGL_withoutGL);
    if (written.bad()) {
        throw Error{ErrorKind::Output, "cannot write", work_file.string(), written.text()};
    }
    // DCMTK takes no notice of a full disk.
    const auto refuse = [&](std::string_view reason) {
        return Error{ErrorKind::Output, "cannot write", work_file.string(), reason};
    };
    try {
        const auto directory = dicom::Instance::open(work_file, directory_limits());
        if (count_files(directory.data_set()) != impl_->files) {
            throw refuse("records are missing in it");
        }
        Finish finish{directory, uid};
        finish.move_offsets();
        finish.take_back_todays_date(impl_->studies);
        return std::move(finish).bytes();
    } catch (const Error& error) {
        throw refuse(error.reason());
    }
}

} // namespace dcmpipe::archive
