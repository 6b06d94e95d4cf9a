#include "net/instance_store.hpp"

#include "core/file_bytes.hpp"
#include "core/log.hpp"
#include "core/rope.hpp"
#include "dicom/encode.hpp"
#include "dicom/instance.hpp"
#include "dicom/study_folder.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"
#include "net/command.hpp"
#include "net/store_folder.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
namespace uid = dicom::uid;

namespace {

/// Only the head of a data set is walked here, without recursion: deep nesting costs memory, and no more
/// than this. What is nested deeper, the commands that parse will refuse.
constexpr dicom::Limits head_limits{.depth = 60'000, .elements = 1'000'000, .inflated = 1ULL << 30U};

/// More than the patient, study and series take up in all but a few instances.
constexpr std::size_t longest_head = 16 * 1024;

/// A reason to refuse an instance, with the status that says so.
struct Refusal {
    std::uint16_t status;
    std::string reason;
};

/// The bytes written so far, though the file has no name yet.
fs::path path_of(const OutputFile& file)
{
    return fmt::format("/proc/self/fd/{}", file.fd());
}

/// Most often in the first bytes: then the file need not be opened again.
dicom::Instance head_of(const OutputFile& file, std::string_view first_bytes, dicom::Tag last)
{
    if (auto instance = dicom::Instance::from_first_bytes(first_bytes, last, head_limits)) {
        return std::move(*instance);
    }
    try {
        return dicom::Instance::open_head(path_of(file), last, head_limits);
    } catch (const Error& error) {
        throw Refusal{status::CannotUnderstand, error.reason()};
    }
}

std::string valid_uid(std::string_view value, std::string_view what)
{
    if (!uid::is_valid(value)) {
        throw Refusal{
            status::CannotUnderstand, fmt::format("{} {}", what, value.empty() ? "is missing" : "is no UID")};
    }
    return std::string{value};
}

/// Without the path: it may hold values of the data set.
std::string cannot_write(const Error& error)
{
    return fmt::format("cannot write: {}", error.reason());
}

std::string_view data_set_of(const dicom::Instance& instance)
{
    return instance.bytes().substr(instance.data_set_offset());
}

/// How an instance that stands on the disk relates to one that came.
enum class Relation { Other, SameInstance, SameDataSet };

/// What cannot be read is another one.
Relation relation(const fs::path& path, const dicom::Instance& instance)
{
    try {
        const auto there = dicom::Instance::open_head(path, tags::SeriesInstanceUID, head_limits);
        for (const auto tag : {tags::SOPInstanceUID, tags::StudyInstanceUID, tags::SeriesInstanceUID}) {
            if (uid::trimmed(there.data_set().text(tag)) != uid::trimmed(instance.data_set().text(tag))) {
                return Relation::Other;
            }
        }
        const bool same = there.transfer_syntax() == instance.transfer_syntax() &&
                          data_set_of(there) == data_set_of(instance);
        return same ? Relation::SameDataSet : Relation::SameInstance;
    } catch (const Error& error) {
        log::warning("cannot compare with the instance that stands there, keeping both: {}", error.reason());
        return Relation::Other;
    }
}

/// `1.2.3.dcm` for the first, `1.2.3~2.dcm` for the next.
fs::path numbered(const fs::path& path, unsigned number)
{
    constexpr std::string_view ending = ".dcm";
    auto name = path.filename().string();
    if (number > 1) {
        const auto stem = name.ends_with(ending) ? name.size() - ending.size() : name.size();
        name.insert(stem, fmt::format("~{}", number));
    }
    return path.parent_path() / name;
}

} // namespace

InstanceStore::InstanceStore(Settings settings) : settings_(std::move(settings))
{
    if (!settings_.root.has_filename()) {
        settings_.root = settings_.root.parent_path(); // without the slash at its end
    }
    make_folders(settings_.root);
    if (!settings_.aside.empty()) {
        make_folders(settings_.aside);
        durable_folders_.insert(settings_.aside);
    }
}

std::string_view InstanceStore::low_water() const
{
    struct statvfs disk {};
    if ((settings_.least_free_bytes == 0 && settings_.least_free_files == 0) ||
        ::statvfs(settings_.root.c_str(), &disk) != 0) {
        return {}; // what cannot be asked shows when it is written
    }
    if (std::uint64_t{disk.f_bavail} * disk.f_frsize < settings_.least_free_bytes) {
        return "min-free";
    }
    // Some file systems count no files, and say that there are none at all.
    return disk.f_files != 0 && disk.f_favail < settings_.least_free_files ? "min-free-files" : "";
}

InstanceStore::Incoming InstanceStore::begin(AnnouncedInstance announced)
{
    return {*this, std::move(announced)};
}

InstanceStore::Incoming::Incoming(InstanceStore& store, AnnouncedInstance announced)
    : store_(store), announced_(std::move(announced))
{
    if (!uid::is_valid(announced_.sop_class_uid)) {
        refuse(status::CannotUnderstand, "the command's SOP Class UID is no UID");
    } else if (!uid::is_valid(announced_.instance_uid)) {
        refuse(status::CannotUnderstand, "the command's SOP Instance UID is no UID");
    } else if (const auto limit = store_.low_water(); !limit.empty()) {
        refuse(status::OutOfResources, "too little room is left", limit);
    } else {
        head_ = dicom::encode_file_meta(
            {.sop_class_uid = announced_.sop_class_uid,
             .instance_uid = announced_.instance_uid,
             .transfer_syntax = announced_.transfer_syntax,
             .source_aet = announced_.calling_aet,
             .sending_aet = announced_.calling_aet,
             .receiving_aet = announced_.receiving_aet});
        try {
            file_.emplace(store_.settings_.root / incoming_name);
        } catch (const Error& error) {
            refuse(status::OutOfResources, cannot_write(error));
        }
    }
}

void InstanceStore::Incoming::refuse(std::uint16_t status, std::string reason, std::string_view limit)
{
    file_.reset(); // what was written is gone
    refused_ = {.status = status, .reason = std::move(reason), .limit = std::string{limit}};
}

void InstanceStore::Incoming::take(std::string_view fragment)
{
    taken_ += fragment.size();
    const auto most = store_.settings_.most_bytes;
    if (most != 0 && taken_ > most) {
        if (taken_ / 2 > most + (8U << 20U)) { // it was heard out for long enough
            throw Error{ErrorKind::Peer, "broke off with", announced_.calling_aet, "its instance has no end"};
        }
        if (refused_.status == status::Success) {
            refuse(status::OutOfResources, "the instance is too long", "max-object");
        }
    }
    write(fragment);
}

void InstanceStore::Incoming::write(std::string_view fragment)
{
    if (refused_.status != status::Success) {
        return;
    }
    try {
        if (bytes_ == 0) {
            Rope with_header;
            with_header.borrow(head_);
            with_header.borrow(fragment);
            with_header.write_to(file_->fd(), nullptr, file_->path());
            bytes_ = head_.size();
        } else {
            file_->write(fragment);
        }
        bytes_ += fragment.size();
        head_ += fragment.substr(0, longest_head - std::min(longest_head, head_.size()));
    } catch (const Error& error) {
        refuse(status::OutOfResources, cannot_write(error));
    }
}

StoreOutcome InstanceStore::Incoming::finish()
{
    if (refused_.status != status::Success) {
        return refused_;
    }
    try {
        auto instance = store_.put(*file_, head_, announced_);
        instance.bytes = bytes_;
        return {.status = status::Success, .instance = std::move(instance)};
    } catch (const Refusal& refusal) {
        return {.status = refusal.status, .reason = refusal.reason};
    } catch (const Error& error) {
        return {.status = status::OutOfResources, .reason = cannot_write(error)};
    }
}

StoredInstance InstanceStore::put(OutputFile& file, std::string_view head, const AnnouncedInstance& announced)
{
    const auto last = std::max({settings_.layout.last_tag(), tags::SeriesInstanceUID, settings_.wanted_by});
    const auto instance = head_of(file, head, last);
    const auto& data_set = instance.data_set();
    StoredInstance stored;
    stored.sop_class_uid = valid_uid(data_set.text(tags::SOPClassUID), "SOP Class UID");
    stored.instance_uid = valid_uid(data_set.text(tags::SOPInstanceUID), "SOP Instance UID");
    stored.study_uid = valid_uid(data_set.text(tags::StudyInstanceUID), "Study Instance UID");
    stored.series_uid = valid_uid(data_set.text(tags::SeriesInstanceUID), "Series Instance UID");
    if (stored.sop_class_uid != announced.sop_class_uid || stored.instance_uid != announced.instance_uid) {
        throw Refusal{
            status::DataSetDoesNotMatch, "SOP Class or Instance UID of command and data set differ"};
    }
    const bool aside = settings_.wanted && !settings_.wanted(data_set);
    if (aside && settings_.aside.empty()) {
        throw Refusal{status::NotAuthorized, "nobody asked for this instance"};
    }
    const auto place = settings_.layout.place_of(data_set);
    const auto& root = aside ? settings_.aside : settings_.root;
    make_durable(root / place.file.parent_path());
    if (!place.study_folder.empty() && place.study_folder != place.file) {
        dicom::mark_study_folder(root / place.study_folder, stored.study_uid);
        hold_study(root / place.study_folder);
    }
    stored.path = root / place.file;
    return name(file, std::move(stored));
}

/// Best effort: where somebody works on the folder already, what comes now is a later revision to them.
void InstanceStore::hold_study(const fs::path& folder)
{
    constexpr std::size_t most_held = 200; // descriptors are few
    if (!settings_.hold_studies || held_studies_.contains(folder)) {
        return;
    }
    Fd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (fd && ::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) {
        if (held_studies_.size() >= most_held) {
            held_studies_.clear();
        }
        held_studies_.emplace(folder, std::move(fd));
    }
}

/// The first free name, unless one that is taken settles it.
StoredInstance InstanceStore::name(OutputFile& file, StoredInstance stored)
{
    const auto first = stored.path;
    if (settings_.durability == Durability::Full) {
        file.sync();
    }
    for (unsigned number = 1;; ++number) {
        stored.path = numbered(first, number);
        file.rename_result(stored.path);
        if (file.appear(Existing::Keep) || settle(file, stored)) {
            break;
        }
    }
    make_name_durable(file, stored);
    return stored;
}

/// What stands under the name that is taken may settle what becomes of the instance; false where it needs
/// another name.
bool InstanceStore::settle(OutputFile& file, StoredInstance& stored) const
{
    const auto there = relation(stored.path, head_of(file, {}, tags::SeriesInstanceUID));
    const auto rule = settings_.duplicates;
    if (there == Relation::Other) {
        return false;
    }
    if (rule == Duplicates::Version) {
        stored.duplicate = Duplicate::Versioned;
        return false;
    }
    if (there == Relation::SameDataSet || rule == Duplicates::KeepFirst) {
        stored.duplicate = there == Relation::SameDataSet ? Duplicate::Identical : Duplicate::Dropped;
        stored.stood_already = true;
        if (stored.duplicate == Duplicate::Dropped) {
            log::warning(
                "dropped an instance: another data set stands under its UIDs (--duplicates keep-first)");
        }
        return true;
    }
    switch (rule) {
    case Duplicates::Reject:
        throw Refusal{status::DuplicateInstance, "another data set stands under its UIDs"};
    case Duplicates::Replace:
        replace(file, stored.path);
        stored.duplicate = Duplicate::Replaced;
        return true;
    default:
        stored.duplicate = Duplicate::Versioned;
        return false;
    }
}

/// By way of a hidden name in the root, where a leftover is found again.
void InstanceStore::replace(OutputFile& file, const fs::path& path) const
{
    static unsigned count = 0;
    const auto hidden = settings_.root / fmt::format("{}{}.r{}.part", leftover_prefix, ::getpid(), ++count);
    file.rename_result(hidden);
    file.appear(Existing::Keep);
    if (::rename(hidden.c_str(), path.c_str()) != 0) {
        const auto error = Error::from_errno(ErrorKind::Output, "cannot name", path.string());
        ::unlink(hidden.c_str());
        throw Error{error};
    }
    file.rename_result(path);
}

void InstanceStore::make_name_durable(const OutputFile& file, const StoredInstance& stored) const
{
    switch (settings_.durability) {
    case Durability::None:
        return;
    case Durability::Full:
        // Of a name that stood already too: who knows who made it.
        return sync_folder(stored.path.parent_path());
    case Durability::Ext4: {
        // The journal holds the name as well as the bytes once the file is flushed.
        const Fd there{stored.stood_already ? ::open(stored.path.c_str(), O_RDONLY | O_CLOEXEC) : -1};
        if (::fsync(there ? there.get() : file.fd()) != 0) {
            throw Error::from_errno(ErrorKind::Output, "cannot write", stored.path.string());
        }
    }
    }
}

/// A folder that another process made may not be durable yet: who uses it first syncs the name of it, and of
/// all that lead there.
void InstanceStore::make_durable(const fs::path& folder)
{
    if (durable_folders_.contains(folder) && fs::is_directory(folder)) {
        return;
    }
    if (folder != settings_.root) {
        make_durable(folder.parent_path());
        if (::mkdir(folder.c_str(), 0750) != 0 && !fs::is_directory(folder)) {
            throw Error::from_errno(ErrorKind::Output, "cannot make the folder", folder.string());
        }
        if (settings_.durability != Durability::None) {
            sync_folder(folder.parent_path());
        }
    }
    durable_folders_.insert(folder);
}

} // namespace dcmpipe::net
