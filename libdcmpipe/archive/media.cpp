#include "archive/media.hpp"

#include "archive/media_plan.hpp"
#include "core/file_bytes.hpp"
#include "core/parallel.hpp"
#include "core/stop.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <variant>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

constexpr std::size_t read_at_once = 256; ///< files between two looks at what came of them

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

void MediaWriter::add(const fs::path& file)
{
    waiting_.push_back(file);
    if (waiting_.size() == read_at_once) {
        read_waiting();
    }
}

void MediaWriter::read_waiting()
{
    Inside out{canonical_out_};
    std::vector<std::variant<ReadInput, Error>> inputs(waiting_.size());
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (out.holds(waiting_[i])) {
            inputs[i] = ReadInput{MediaInput::OwnOutput};
        }
    }
    for_each_index(waiting_.size(), settings_.jobs, [&](std::size_t i) {
        auto& input = inputs[i];
        if (std::get<ReadInput>(input).kind == MediaInput::OwnOutput || stop::requested()) {
            return;
        }
        try {
            input = read_input(waiting_[i], *settings_.profile);
        } catch (const Error& error) {
            input = error;
        }
    });
    for (std::size_t i = 0; i < waiting_.size() && !stop::requested(); ++i) {
        try {
            if (const auto* const error = std::get_if<Error>(&inputs[i])) {
                throw Error{*error};
            }
            take(std::get<ReadInput>(inputs[i]), waiting_[i]);
        } catch (const Error& error) {
            ends_.failed(waiting_[i], error);
        }
    }
    waiting_.clear();
}

void MediaWriter::take(const ReadInput& input, const fs::path& file)
{
    if (input.kind != MediaInput::Instance) {
        return ends_.taken_in(file, input.kind);
    }
    const auto known = items_.find(input.item.instance_uid);
    if (!known) {
        items_.add(input.item, input.keys);
        return ends_.taken_in(file, MediaInput::Instance);
    }
    if (const auto first = items_.item(*known); !same_bytes(file, first.source)) {
        throw Error{
            ErrorKind::Input, "cannot put on media", file.string(),
            fmt::format("{} has the same SOP Instance UID and other bytes", first.source.string())};
    }
    ends_.taken_in(file, MediaInput::Repeated);
}

MediaResult MediaWriter::write()
{
    read_waiting();
    check_stop();
    if (items_.size() == 0) {
        throw Error{ErrorKind::Input, "no DICOM instance to put on media"};
    }
    items_.sort();
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
    for (std::size_t i = 0; i < items_.size(); ++i) {
        result.other_syntaxes +=
            items_.item(i).transfer_syntax == dicom::transfer_syntax::ExplicitVRLittleEndian ? 0 : 1;
    }
    return result;
}

void MediaWriter::fail(const MediaItem& item, const Error& error) const
{
    ends_.failed(
        item.source, Error{ErrorKind::Input, "cannot put on media", item.source.string(), error.reason()});
}

/// Those that could be copied, in their order.
MediaWriter::Numbers MediaWriter::copy_all(const Numbers& items, MediaResult& result)
{
    std::vector<char> is_there(items.size(), 0); // not vector<bool>: its neighbours share a byte
    std::mutex mutex;
    for_each_index(items.size(), settings_.jobs, [&](std::size_t i) {
        check_stop();
        const auto item = items_.item(items[i]);
        try {
            const auto bytes = copy_item(item, settings_.out_dir);
            is_there[i] = 1;
            const std::lock_guard lock{mutex};
            result.bytes += bytes;
            ends_.copied(bytes);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Input) {
                throw;
            }
            const std::lock_guard lock{mutex};
            fail(item, error);
        }
    });
    Numbers there;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (is_there[i] != 0) {
            there.push_back(items[i]);
        }
    }
    return there;
}

/// Keeps those that the directory has.
void MediaWriter::build(Directory& directory, Numbers& items)
{
    DirectoryBuilder builder{directory, settings_.profile->more_keys};
    std::erase_if(items, [&](std::uint32_t number) {
        const auto item = items_.item(number);
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
    Numbers there;
    Numbers missing;
    for (std::uint32_t number = 0; number < items_.size(); ++number) {
        items_.set_file_id(number, file_ids.next(items_.item(number)));
        const auto item = items_.item(number);
        const auto target = settings_.out_dir / item.file_id;
        if (!fs::exists(target)) {
            missing.push_back(number);
            continue;
        }
        if (!stands_as(item, target)) {
            throw refuse();
        }
        result.bytes += item.state.size;
        there.push_back(number);
    }
    Directory directory;
    build(directory, there);
    const auto dicomdir = settings_.out_dir / "DICOMDIR";
    if (there.empty() || !fs::exists(dicomdir) || !directory.is(FileBytes::open(dicomdir).view())) {
        throw refuse();
    }
    for (const auto number : missing) {
        const auto source = items_.item(number).source;
        ends_.failed(
            source, Error{
                        ErrorKind::Output, "cannot put on media", source.string(),
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
    Numbers all;
    for (std::uint32_t number = 0; number < items_.size(); ++number) {
        items_.set_file_id(number, file_ids.next(items_.item(number)));
        all.push_back(number);
    }
    auto taken = copy_all(all, result);
    Directory directory;
    build(directory, taken);
    if (taken.empty()) {
        throw Error{ErrorKind::Input, "no DICOM instance could be put on media"};
    }
    std::vector<std::string_view> names;
    for (const auto number : taken) {
        names.push_back(items_.file_id(number));
    }
    std::sort(names.begin(), names.end());
    folder.remove_others(names);
    folder.publish(directory);
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
    Numbers added;
    for (std::uint32_t number = 0; number < items_.size(); ++number) {
        const auto item = items_.item(number);
        const auto known = files.find(item.instance_uid);
        if (known == files.end()) {
            items_.set_file_id(number, file_ids.next(item));
            added.push_back(number);
        } else if (!stands_as(item, settings_.out_dir / known->second)) {
            ends_.failed(
                item.source,
                Error{
                    ErrorKind::Input, "cannot put on media", item.source.string(),
                    fmt::format(
                        "{} of the media has the same SOP Instance UID and other bytes", known->second)});
        }
    }
    added = copy_all(added, result);
    build(directory, added);
    if (added.empty()) {
        result.status = Status::Skipped;
    } else {
        folder.publish(directory);
    }
    result.added = added.size();
    result.counts = count(directory);
    return result;
}

} // namespace dcmpipe::archive
