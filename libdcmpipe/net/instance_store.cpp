#include "net/instance_store.hpp"

#include "core/file_bytes.hpp"
#include "core/log.hpp"
#include "dicom/encode.hpp"
#include "dicom/instance.hpp"
#include "dicom/study_folder.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"
#include "net/command.hpp"

#include <algorithm>

#include <sys/stat.h>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
namespace uid = dicom::uid;

namespace {

/// Only the head of a data set is walked here, without recursion: deep nesting costs memory, and no more
/// than this. What is nested deeper, the commands that parse will refuse.
constexpr dicom::Limits head_limits{.depth = 60'000, .elements = 1'000'000, .inflated = 1ULL << 30U};

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

dicom::Instance head_of(const OutputFile& file, dicom::Tag last)
{
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

/// True where `path` holds the same data set in the same transfer syntax; what cannot be read is not it.
bool holds_same(const fs::path& path, const dicom::Instance& instance)
{
    try {
        const auto there = dicom::Instance::open_head(path, tags::SpecificCharacterSet, head_limits);
        return there.transfer_syntax() == instance.transfer_syntax() &&
               data_set_of(there) == data_set_of(instance);
    } catch (const Error& error) {
        log::warning("cannot compare with the instance that stands there, keeping both: {}", error.reason());
        return false;
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
    } else {
        const auto header = dicom::encode_file_meta(
            {.sop_class_uid = announced_.sop_class_uid,
             .instance_uid = announced_.instance_uid,
             .transfer_syntax = announced_.transfer_syntax,
             .source_aet = announced_.calling_aet,
             .sending_aet = announced_.calling_aet,
             .receiving_aet = announced_.receiving_aet});
        try {
            file_.emplace(store_.settings_.root / "incoming");
        } catch (const Error& error) {
            refuse(status::OutOfResources, cannot_write(error));
        }
        take(header);
    }
}

void InstanceStore::Incoming::refuse(std::uint16_t status, std::string reason)
{
    file_.reset(); // what was written is gone
    refused_ = {.status = status, .reason = std::move(reason)};
}

void InstanceStore::Incoming::take(std::string_view fragment)
{
    if (refused_.status != status::Success) {
        return;
    }
    try {
        file_->write(fragment);
        bytes_ += fragment.size();
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
        auto instance = store_.put(*file_, announced_);
        instance.bytes = bytes_;
        return {.status = status::Success, .instance = std::move(instance)};
    } catch (const Refusal& refusal) {
        return {.status = refusal.status, .reason = refusal.reason};
    } catch (const Error& error) {
        return {.status = status::OutOfResources, .reason = cannot_write(error)};
    }
}

StoredInstance InstanceStore::put(OutputFile& file, const AnnouncedInstance& announced)
{
    const auto last = std::max({settings_.layout.last_tag(), tags::SeriesInstanceUID, settings_.wanted_by});
    const auto instance = head_of(file, last);
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
    if (settings_.wanted && !settings_.wanted(data_set)) {
        throw Refusal{status::NotAuthorized, "nobody asked for this instance"};
    }
    const auto place = settings_.layout.place_of(data_set);
    make_durable(settings_.root / place.file.parent_path());
    if (!place.study_folder.empty() && place.study_folder != place.file) {
        dicom::mark_study_folder(settings_.root / place.study_folder, stored.study_uid);
    }
    stored.path = settings_.root / place.file;
    return name(file, instance, std::move(stored));
}

/// The first free name, unless one that is taken holds the same.
StoredInstance InstanceStore::name(OutputFile& file, const dicom::Instance& instance, StoredInstance stored)
{
    const bool full = settings_.durability == Durability::Full;
    const auto first = stored.path;
    if (full) {
        file.sync();
    }
    for (unsigned number = 1;; ++number) {
        stored.path = numbered(first, number);
        file.rename_result(stored.path);
        if (file.appear(Existing::Keep)) {
            break;
        }
        if (holds_same(stored.path, instance)) {
            stored.stood_already = true;
            break;
        }
    }
    if (full) {
        sync_folder(stored.path.parent_path()); // of a name that stood already too: who knows who made it
    }
    return stored;
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
        if (settings_.durability == Durability::Full) {
            sync_folder(folder.parent_path());
        }
    }
    durable_folders_.insert(folder);
}

} // namespace dcmpipe::net
