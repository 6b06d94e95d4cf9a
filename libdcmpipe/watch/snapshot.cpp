#include "watch/snapshot.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "dicom/study_folder.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

#include <fmt/format.h>

namespace dcmpipe::watch {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t digest_length = 32; ///< 128 bits: equal by chance never, and a person can compare two

struct Entry {
    std::string name;
    struct stat status {};
    bool hidden = false;
};

bool is_hidden(const fs::path& name)
{
    return name.native().starts_with('.');
}

bool is_gone(const std::error_code& error)
{
    return error.value() == ENOENT || error.value() == ENOTDIR;
}

Error unreadable_error(const fs::path& folder, const std::error_code& error)
{
    return {ErrorKind::Input, "cannot read the folder", folder.string(), error.message()};
}

/// The names in a folder, in their order; nothing where the folder is gone.
std::optional<std::vector<fs::path>> names_in(const fs::path& folder, std::error_code& error)
{
    std::vector<fs::path> names;
    for (auto entry = fs::directory_iterator{folder, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        names.push_back(entry->path().filename());
    }
    if (error && is_gone(error)) {
        error.clear();
        return std::nullopt;
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// A link stands for the file it leads to; a link to a folder or to nothing stands for itself.
bool status_of(const fs::path& path, struct stat& status)
{
    if (::lstat(path.c_str(), &status) != 0) {
        return false;
    }
    struct stat target {};
    if (S_ISLNK(status.st_mode) && ::stat(path.c_str(), &target) == 0 && S_ISREG(target.st_mode)) {
        status = target;
    }
    return true;
}

bool collect(const fs::path& folder, const std::string& prefix, bool hidden, std::vector<Entry>& entries)
{
    std::error_code error;
    const auto names = names_in(folder, error);
    if (error) {
        throw unreadable_error(folder, error);
    }
    if (!names) {
        return false;
    }
    for (const auto& name : *names) {
        if (name == state_folder) {
            continue;
        }
        Entry entry{prefix + name.string(), {}, hidden || is_hidden(name)};
        if (!status_of(folder / name, entry.status)) {
            continue;
        }
        const bool is_folder = S_ISDIR(entry.status.st_mode);
        const auto below = entry.name + "/";
        const bool below_hidden = entry.hidden;
        entries.push_back(std::move(entry));
        if (is_folder) {
            collect(folder / name, below, below_hidden, entries);
        }
    }
    return true;
}

std::string text_of(const timespec& time)
{
    return fmt::format("{}.{:09}", time.tv_sec, time.tv_nsec);
}

Snapshot summary_of(const std::vector<Entry>& entries)
{
    Snapshot snapshot;
    Sha256 content;
    Sha256 activity;
    for (const auto& [name, status, hidden] : entries) {
        const auto identity =
            fmt::format("{} {} {} {}\n", name.size(), name, status.st_size, text_of(status.st_mtim));
        activity.add(identity);
        activity.add(text_of(status.st_ctim));
        snapshot.newest = std::max(
            snapshot.newest,
            static_cast<double>(status.st_ctim.tv_sec) + static_cast<double>(status.st_ctim.tv_nsec) * 1e-9);
        if (!hidden && S_ISREG(status.st_mode)) {
            content.add(identity);
            ++snapshot.files;
            snapshot.bytes += static_cast<std::uint64_t>(status.st_size);
        }
    }
    snapshot.content = content.hex().substr(0, digest_length);
    snapshot.activity = activity.hex().substr(0, digest_length);
    return snapshot;
}

void search(
    const fs::path& tree, const fs::path& below, unsigned level, std::optional<unsigned> depth,
    std::vector<fs::path>& studies, std::vector<Error>& unreadable)
{
    const auto folder = tree / below;
    if (depth ? level == *depth : dicom::is_study_folder(folder)) {
        studies.push_back(below);
        return;
    }
    std::error_code error;
    const auto names = names_in(folder, error);
    if (error) {
        unreadable.push_back(unreadable_error(folder, error));
        return;
    }
    for (const auto& name : names.value_or(std::vector<fs::path>{})) {
        struct stat status {};
        if (!is_hidden(name) && ::lstat((folder / name).c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
            search(tree, below / name, level + 1, depth, studies, unreadable);
        }
    }
}

} // namespace

std::optional<Snapshot> look_at(const fs::path& folder)
{
    std::vector<Entry> entries{{".", {}, true}};
    if (!status_of(folder, entries.front().status) || !collect(folder, {}, false, entries)) {
        return std::nullopt;
    }
    return summary_of(entries);
}

std::vector<fs::path> find_studies(
    const fs::path& tree, std::optional<unsigned> depth, std::vector<Error>& unreadable)
{
    std::vector<fs::path> studies;
    search(tree, {}, 0, depth, studies, unreadable);
    return studies;
}

} // namespace dcmpipe::watch
