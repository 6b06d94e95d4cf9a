#include "archive/media_folder.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view work_folder = ".dpipe-dicomdir";
constexpr unsigned levels = 4; ///< of folders and files that FileIds makes

/// A name that FileIds may have given.
bool is_ours(const fs::path& name, unsigned level)
{
    const auto text = name.string();
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (text.size() != 8 || !std::all_of(text.begin(), text.begin() + 2, is_capital) ||
        !std::all_of(text.begin() + 2, text.end(), is_digit)) {
        return false;
    }
    return level > 0 || text.starts_with("PT") || text.starts_with("NP");
}

void remove_below(
    const fs::path& folder, const std::string& below, unsigned level, std::span<const std::string_view> keep)
{
    std::vector<fs::path> names;
    for (const auto& entry : fs::directory_iterator{folder}) {
        if (is_ours(entry.path().filename(), level)) {
            names.push_back(entry.path());
        }
    }
    for (const auto& path : names) {
        const auto file_id = below + path.filename().string();
        if (level + 1 < levels && fs::is_directory(path)) {
            remove_below(path, file_id + "/", level + 1, keep);
            ::rmdir(path.c_str()); // fails, as it should, where something is left in it
        } else if (!std::binary_search(keep.begin(), keep.end(), file_id)) {
            fs::remove(path);
        }
    }
}

} // namespace

MediaFolder::MediaFolder(fs::path path) : path_(std::move(path))
{
    make_folders(path_);
    lock_ = Fd{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!lock_) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", path_.string());
    }
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        throw Error{ErrorKind::Output, "cannot write", path_.string(), "another dpipe-dicomdir writes there"};
    }
}

bool MediaFolder::is_unfinished() const
{
    return fs::exists(path_ / work_folder);
}

bool MediaFolder::holds_files() const
{
    return std::any_of(fs::directory_iterator{path_}, fs::directory_iterator{}, [](const auto& entry) {
        const auto name = entry.path().filename().string();
        return !name.starts_with('.') && name != "lost+found";
    });
}

void MediaFolder::begin() const
{
    make_folders(path_ / work_folder);
    fs::remove(dicomdir());
    sync_folder(path_);
}

void MediaFolder::remove_others(std::span<const std::string_view> keep) const
{
    remove_below(path_, {}, 0, keep);
}

void MediaFolder::publish(const Directory& directory) const
{
    if (::syncfs(lock_.get()) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", path_.string());
    }
    OutputFile file{dicomdir()};
    directory.write([&](std::string_view piece) { file.write(piece); });
    file.publish(Existing::Replace);
    fs::remove_all(path_ / work_folder);
    sync_folder(path_);
}

} // namespace dcmpipe::archive
