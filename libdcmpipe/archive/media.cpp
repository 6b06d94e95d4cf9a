#include "archive/media.hpp"

#include "archive/dicomdir.hpp"
#include "archive/part10.hpp"
#include "core/output_file.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <set>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

/// In the output folder while the media is not finished; DCMTK writes in it.
constexpr std::string_view work_folder = ".dpipe-dicomdir";
constexpr std::string_view directory_name = "DICOMDIR";

/// What an instance must have to be placed.
constexpr std::array needed{
    tags::SOPClassUID, tags::SOPInstanceUID, tags::StudyInstanceUID, tags::SeriesInstanceUID, tags::Modality};

bool looks_like_dicom(const fs::path& path)
{
    try {
        return dicom::has_prefix(FileBytes::open(path).view()) ||
               !dicom::Instance::open_head(path, tags::SOPClassUID).sop_class_uid().empty();
    } catch (const Error&) {
        return false;
    }
}

long number_of(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(" +"), text.size()));
    long number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::string header_digest(const dicom::Instance& instance)
{
    auto bytes = instance.bytes();
    const auto pixels = instance.data_set().find(tags::PixelData);
    if (pixels != dicom::ElementIndex::None && !instance.is_deflated()) {
        bytes = bytes.substr(0, instance.data_set_offset() + instance.data_set()[pixels].offset);
    }
    Sha256 digest;
    digest.add(bytes);
    return digest.hex();
}

MediaItem item_of(const fs::path& source, const dicom::Instance& instance)
{
    const auto& data_set = instance.data_set();
    const auto patient = data_set.text(tags::PatientID);
    MediaItem item;
    item.source = source;
    item.patient = patient.empty() ? data_set.text(tags::PatientName) : patient;
    item.study_uid = instance.study_uid();
    item.series_uid = instance.series_uid();
    item.instance_uid = instance.instance_uid();
    item.number = number_of(data_set.text(tags::InstanceNumber));
    item.header = header_digest(instance);
    return item;
}

void check_placeable(const fs::path& path, const dicom::Instance& instance)
{
    const auto& data_set = instance.data_set();
    const auto missing =
        std::find_if(needed.begin(), needed.end(), [&](auto tag) { return data_set.text(tag).empty(); });
    if (missing != needed.end()) {
        throw Error{
            ErrorKind::Input, "cannot put on media", path.string(),
            fmt::format("it has no {}", dicom::dictionary::name_of(*missing))};
    }
}

bool same_bytes(const fs::path& a, const fs::path& b)
{
    return FileBytes::open(a).view() == FileBytes::open(b).view();
}

/// True where the file stands below `folder`, which is in canonical form.
bool is_inside(const fs::path& file, const fs::path& folder)
{
    const auto parent = fs::weakly_canonical(file.parent_path().empty() ? "." : file.parent_path());
    return std::mismatch(folder.begin(), folder.end(), parent.begin(), parent.end()).first == folder.end();
}

/// Hidden names and what a fresh file system has do not count.
bool holds_files(const fs::path& folder)
{
    return std::any_of(fs::directory_iterator{folder}, fs::directory_iterator{}, [](const auto& entry) {
        const auto name = entry.path().filename().string();
        return !name.starts_with('.') && name != "lost+found";
    });
}

Fd lock_folder(const fs::path& folder)
{
    Fd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", folder.string());
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        throw Error{
            ErrorKind::Output, "cannot write", folder.string(), "another dpipe-dicomdir writes there"};
    }
    return fd;
}

/// A name that assign_file_ids() may have given.
bool is_ours(const fs::path& name, std::string_view prefix)
{
    const auto text = name.string();
    return text.size() == 8 && text.starts_with(prefix) &&
           std::all_of(text.begin() + 2, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Removes files of ours that `keep` does not name, and folders that are empty then.
void remove_others(
    const fs::path& folder, const std::string& below, unsigned level, const std::set<std::string>& keep)
{
    static constexpr std::array<std::string_view, 4> prefixes{"PT", "ST", "SE", "IM"};
    std::vector<fs::path> names;
    for (const auto& entry : fs::directory_iterator{folder}) {
        if (is_ours(entry.path().filename(), prefixes.at(level))) {
            names.push_back(entry.path());
        }
    }
    for (const auto& path : names) {
        const auto file_id = below + path.filename().string();
        if (level + 1 < prefixes.size() && fs::is_directory(path)) {
            remove_others(path, file_id + "/", level + 1, keep);
            ::rmdir(path.c_str()); // fails, as it should, where something is left in it
        } else if (!keep.contains(file_id)) {
            fs::remove(path);
        }
    }
}

/// Not synced here: one syncfs() before the DICOMDIR does it for all.
std::uint64_t copy(const dicom::Instance& instance, const fs::path& target)
{
    const auto bytes = part10_of(instance);
    std::error_code ignored;
    if (fs::is_regular_file(target, ignored) && bytes.equals(FileBytes::open(target).view())) {
        return bytes.size();
    }
    OutputFile file{target};
    bytes.write_to(file.fd(), instance.file(), target);
    file.appear(Existing::Replace);
    return bytes.size();
}

} // namespace

MediaWriter::MediaWriter(MediaSettings settings)
    : settings_(std::move(settings)), canonical_out_(fs::weakly_canonical(fs::absolute(settings_.out_dir)))
{
    if (!canonical_out_.has_filename()) { // a slash at the end
        canonical_out_ = canonical_out_.parent_path();
    }
}

MediaInput MediaWriter::add(const fs::path& file)
{
    if (is_inside(file, canonical_out_)) {
        return MediaInput::OwnOutput;
    }
    if (!looks_like_dicom(file)) {
        FileBytes::open(file); // what cannot be read at all is no stray file
        return MediaInput::NotDicom;
    }
    const auto instance = dicom::Instance::open(file);
    if (instance.sop_class_uid() == dicom::uid::MediaStorageDirectoryStorage) {
        return MediaInput::Directory;
    }
    check_placeable(file, instance);
    auto item = item_of(file, instance);
    const auto [first, is_new] = instances_.emplace(item.instance_uid, file);
    if (is_new) {
        other_syntaxes_ +=
            instance.transfer_syntax() == dicom::transfer_syntax::ExplicitVRLittleEndian ? 0 : 1;
        items_.push_back(std::move(item));
        return MediaInput::Instance;
    }
    if (!same_bytes(file, first->second)) {
        throw Error{
            ErrorKind::Input, "cannot put on media", file.string(),
            fmt::format("{} has the same SOP Instance UID and other bytes", first->second.string())};
    }
    return MediaInput::Repeated;
}

MediaResult MediaWriter::write(const OnFailure& on_failure, const OnCopied& on_copied)
{
    if (items_.empty()) {
        throw Error{ErrorKind::Input, "no DICOM instance to put on media"};
    }
    assign_file_ids(items_);
    make_folders(settings_.out_dir);
    const auto lock = lock_folder(settings_.out_dir);
    const bool unfinished = fs::exists(settings_.out_dir / work_folder);
    if (!unfinished && !settings_.overwrite && holds_files(settings_.out_dir)) {
        return compare(on_failure);
    }
    return make(lock.get(), on_failure, on_copied);
}

/// The media that stands there is ours if its DICOMDIR is the one of those of our files that are on it.
MediaResult MediaWriter::compare(const OnFailure& on_failure) const
{
    const auto directory = settings_.out_dir / directory_name;
    const auto refuse = [&] {
        return Error{
            ErrorKind::Output, "cannot write", settings_.out_dir.string(),
            "other files are in it; --overwrite replaces them"};
    };
    std::vector<MediaItem> there;
    std::vector<MediaItem> missing;
    MediaResult result{directory, Status::Skipped, {}, 0, other_syntaxes_};
    for (const auto& item : items_) {
        const auto target = settings_.out_dir / item.file_id;
        if (!fs::exists(target)) {
            missing.push_back(item);
            continue;
        }
        const auto instance = dicom::Instance::open(item.source);
        const auto file = part10_of(instance);
        if (!file.equals(FileBytes::open(target).view())) {
            throw refuse();
        }
        result.bytes += file.size();
        there.push_back(item);
    }
    if (there.empty() || !fs::exists(directory) ||
        dicom::Instance::open(directory).meta().text(tags::MediaStorageSOPInstanceUID) !=
            directory_uid(there)) {
        throw refuse();
    }
    for (const auto& item : missing) {
        on_failure(
            item.source, Error{
                             ErrorKind::Output, "cannot put on media", item.source.string(),
                             "the media is made already; --overwrite makes it anew"});
    }
    result.counts = count(there);
    return result;
}

MediaResult MediaWriter::make(int folder, const OnFailure& on_failure, const OnCopied& on_copied)
{
    const auto& out = settings_.out_dir;
    const auto directory_file = out / directory_name;
    MediaResult result{directory_file, Status::Ok, {}, 0, other_syntaxes_};
    make_folders(out / work_folder);
    fs::remove(directory_file);
    sync_folder(out);

    DicomDir directory{out, out / work_folder / directory_name};
    std::vector<MediaItem> taken;
    std::set<std::string> names;
    for (const auto& item : items_) {
        if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopped before the media was finished"};
        }
        try {
            const auto instance = dicom::Instance::open(item.source);
            const auto bytes = copy(instance, out / item.file_id);
            directory.add(item.file_id, instance.data_set());
            result.bytes += bytes;
            taken.push_back(item);
            names.insert(item.file_id);
            on_copied(bytes);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Input) {
                throw;
            }
            on_failure(
                item.source,
                Error{ErrorKind::Input, "cannot put on media", item.source.string(), error.reason()});
        }
    }
    if (taken.empty()) {
        throw Error{ErrorKind::Input, "no DICOM instance could be put on media"};
    }
    remove_others(out, {}, 0, names);
    const auto bytes = directory.finish(directory_uid(taken));
    if (::syncfs(folder) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", out.string());
    }
    OutputFile file{directory_file};
    file.write(bytes);
    file.publish(Existing::Replace);
    fs::remove_all(out / work_folder);
    sync_folder(out);
    result.counts = count(taken);
    return result;
}

} // namespace dcmpipe::archive
