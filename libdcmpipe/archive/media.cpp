#include "archive/media.hpp"

#include "archive/media_plan.hpp"
#include "core/file_bytes.hpp"
#include "core/parallel.hpp"
#include "core/stop.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <variant>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

constexpr std::size_t read_at_once = 4096; ///< files between two looks at what came of them

bool same_bytes(const fs::path& a, const fs::path& b)
{
    return FileBytes::open(a).view() == FileBytes::open(b).view();
}

/// Where the files of a folder stand is asked once.
class Inside {
public:
    explicit Inside(const fs::path& folder) : folder_(folder) {}

    bool holds(const fs::path& file)
    {
        const auto parent = file.parent_path().empty() ? fs::path{"."} : file.parent_path();
        const auto [known, is_new] = known_.try_emplace(parent, false);
        if (is_new) {
            const auto real = fs::weakly_canonical(parent);
            known->second = std::mismatch(folder_.begin(), folder_.end(), real.begin(), real.end()).first ==
                            folder_.end();
        }
        return known->second;
    }

private:
    const fs::path& folder_;
    std::map<fs::path, bool> known_;
};

void check_stop()
{
    if (stop::requested()) {
        throw Error{ErrorKind::Cancelled, "stopped before the media was finished"};
    }
}

/// The files that a directory names, by SOP Instance UID.
void collect_files(const std::list<DirectoryRecord>& records, std::map<std::string, std::string>& files)
{
    for (const auto& record : records) {
        if (!record.reference.empty()) {
            files.emplace(
                text_of(record.reference, tags::ReferencedSOPInstanceUIDInFile), file_id_of(record));
        }
        collect_files(record.below, files);
    }
}

} // namespace

MediaWriter::MediaWriter(MediaSettings settings, MediaEnds ends)
    : settings_(std::move(settings)), ends_(std::move(ends)),
      canonical_out_(fs::weakly_canonical(fs::absolute(settings_.out_dir)))
{
    if (!canonical_out_.has_filename()) { // a slash at the end
        canonical_out_ = canonical_out_.parent_path();
    }
}

void MediaWriter::add(std::span<const fs::path> files)
{
    Inside out{canonical_out_};
    for (std::size_t start = 0; start < files.size() && !stop::requested(); start += read_at_once) {
        const auto some = files.subspan(start, std::min(read_at_once, files.size() - start));
        std::vector<std::variant<ReadInput, Error>> inputs(some.size());
        for (std::size_t i = 0; i < some.size(); ++i) {
            if (out.holds(some[i])) {
                inputs[i] = ReadInput{MediaInput::OwnOutput};
            }
        }
        for_each_index(some.size(), settings_.jobs, [&](std::size_t i) {
            auto& input = inputs[i];
            if (std::get<ReadInput>(input).kind == MediaInput::OwnOutput || stop::requested()) {
                return;
            }
            try {
                input = read_input(some[i], *settings_.profile);
            } catch (const Error& error) {
                input = error;
            }
        });
        for (std::size_t i = 0; i < some.size() && !stop::requested(); ++i) {
            try {
                if (const auto* const error = std::get_if<Error>(&inputs[i])) {
                    throw Error{*error};
                }
                take(std::get<ReadInput>(std::move(inputs[i])), some[i]);
            } catch (const Error& error) {
                ends_.failed(some[i], error);
            }
        }
    }
}

void MediaWriter::take(ReadInput input, const fs::path& file)
{
    if (input.kind != MediaInput::Instance) {
        return ends_.taken_in(file, input.kind);
    }
    const auto [first, is_new] = instances_.emplace(input.item.instance_uid, file);
    if (is_new) {
        items_.push_back(std::move(input.item));
        return ends_.taken_in(file, MediaInput::Instance);
    }
    if (!same_bytes(file, first->second)) {
        throw Error{
            ErrorKind::Input, "cannot put on media", file.string(),
            fmt::format("{} has the same SOP Instance UID and other bytes", first->second.string())};
    }
    ends_.taken_in(file, MediaInput::Repeated);
}

MediaResult MediaWriter::write()
{
    if (items_.empty()) {
        throw Error{ErrorKind::Input, "no DICOM instance to put on media"};
    }
    sort_for_media(items_);
    const auto other_syntaxes = std::count_if(items_.begin(), items_.end(), [](const auto& item) {
        return item.transfer_syntax != dicom::transfer_syntax::ExplicitVRLittleEndian;
    });
    const MediaFolder folder{settings_.out_dir};
    MediaResult result;
    if (settings_.update && !folder.is_unfinished() && fs::exists(folder.dicomdir())) {
        result = update(folder);
    } else if (folder.is_unfinished() || settings_.overwrite || !folder.holds_files()) {
        result = make(folder);
    } else {
        result = compare();
    }
    result.dicomdir = folder.dicomdir();
    result.other_syntaxes = static_cast<std::uint64_t>(other_syntaxes);
    return result;
}

void MediaWriter::fail(const MediaItem& item, const Error& error) const
{
    ends_.failed(
        item.source, Error{ErrorKind::Input, "cannot put on media", item.source.string(), error.reason()});
}

/// Those that could be copied, in their order.
std::vector<MediaItem> MediaWriter::copy_all(std::vector<MediaItem> items, MediaResult& result)
{
    std::vector<char> is_there(items.size(), 0); // not vector<bool>: its neighbours share a byte
    std::mutex mutex;
    for_each_index(items.size(), settings_.jobs, [&](std::size_t i) {
        check_stop();
        try {
            const auto bytes = copy_item(items[i], settings_.out_dir);
            is_there[i] = 1;
            const std::lock_guard lock{mutex};
            result.bytes += bytes;
            ends_.copied(bytes);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Input) {
                throw;
            }
            const std::lock_guard lock{mutex};
            fail(items[i], error);
        }
    });
    std::vector<MediaItem> there;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (is_there[i] != 0) {
            there.push_back(std::move(items[i]));
        }
    }
    return there;
}

/// Keeps those that the directory has.
void MediaWriter::build(Directory& directory, std::vector<MediaItem>& items)
{
    DirectoryBuilder builder{directory, settings_.profile->more_keys};
    std::erase_if(items, [&](const MediaItem& item) {
        try {
            builder.add(item);
            return false;
        } catch (const Error& error) {
            fail(item, error);
            return true;
        }
    });
}

/// The media that stands there is ours if its DICOMDIR is the one of those of our files that are on it.
MediaResult MediaWriter::compare()
{
    const auto refuse = [&] {
        return Error{
            ErrorKind::Output, "cannot write", settings_.out_dir.string(),
            "other files are in it; --overwrite replaces them, --update adds to media"};
    };
    MediaResult result;
    result.status = Status::Skipped;
    FileIds file_ids;
    std::vector<MediaItem> there;
    std::vector<const MediaItem*> missing;
    for (auto& item : items_) {
        item.file_id = file_ids.next(item);
        const auto target = settings_.out_dir / item.file_id;
        if (!fs::exists(target)) {
            missing.push_back(&item);
            continue;
        }
        if (!stands_as(item, target)) {
            throw refuse();
        }
        result.bytes += static_cast<std::uint64_t>(item.status.st_size);
        there.push_back(item);
    }
    Directory directory;
    build(directory, there);
    const auto dicomdir = settings_.out_dir / "DICOMDIR";
    if (there.empty() || !fs::exists(dicomdir) || FileBytes::open(dicomdir).view() != directory.bytes()) {
        throw refuse();
    }
    for (const auto* const item : missing) {
        ends_.failed(
            item->source, Error{
                              ErrorKind::Output, "cannot put on media", item->source.string(),
                              "the media is made already; --update adds to it, --overwrite makes it anew"});
    }
    result.counts = count(directory);
    return result;
}

MediaResult MediaWriter::make(const MediaFolder& folder)
{
    MediaResult result;
    folder.begin();
    FileIds file_ids;
    for (auto& item : items_) {
        item.file_id = file_ids.next(item);
    }
    auto taken = copy_all(std::move(items_), result);
    Directory directory;
    build(directory, taken);
    if (taken.empty()) {
        throw Error{ErrorKind::Input, "no DICOM instance could be put on media"};
    }
    std::set<std::string> names;
    for (const auto& item : taken) {
        names.insert(item.file_id);
    }
    folder.remove_others(names);
    folder.publish(directory.bytes());
    result.added = taken.size();
    result.counts = count(directory);
    return result;
}

MediaResult MediaWriter::update(const MediaFolder& folder)
{
    MediaResult result;
    auto directory = Directory::read(folder.dicomdir());
    std::map<std::string, std::string> files;
    collect_files(directory.roots, files);
    for (const auto& [uid, file_id] : files) {
        if (!fs::exists(settings_.out_dir / file_id)) {
            throw Error{
                ErrorKind::Input, "cannot update", folder.dicomdir().string(),
                fmt::format("it names the file {}, which is not there", file_id)};
        }
    }
    FileIds file_ids{directory};
    std::vector<MediaItem> added;
    for (auto& item : items_) {
        const auto known = files.find(item.instance_uid);
        if (known == files.end()) {
            item.file_id = file_ids.next(item);
            added.push_back(std::move(item));
        } else if (!stands_as(item, settings_.out_dir / known->second)) {
            ends_.failed(
                item.source,
                Error{
                    ErrorKind::Input, "cannot put on media", item.source.string(),
                    fmt::format(
                        "{} of the media has the same SOP Instance UID and other bytes", known->second)});
        }
    }
    added = copy_all(std::move(added), result);
    build(directory, added);
    if (added.empty()) {
        result.status = Status::Skipped;
    } else {
        folder.publish(directory.bytes());
    }
    result.added = added.size();
    result.counts = count(directory);
    return result;
}

} // namespace dcmpipe::archive
