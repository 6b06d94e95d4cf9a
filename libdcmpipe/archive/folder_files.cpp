#include "archive/folder_files.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace dcmpipe::archive {

namespace fs = std::filesystem;

namespace {

void collect(const fs::path& folder, const std::string& prefix, std::vector<FolderFile>& files)
{
    std::error_code error;
    for (auto entry = fs::directory_iterator{folder, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (name.starts_with('.')) {
            continue;
        }
        std::error_code unknown;
        const bool is_link = entry->is_symlink(unknown);
        if (entry->is_directory(unknown) && !is_link) {
            collect(entry->path(), prefix + name + "/", files);
        } else if (entry->is_regular_file(unknown)) {
            files.push_back({prefix + name, entry->file_size(unknown)});
        } else {
            throw Error{
                ErrorKind::Input, "cannot read", entry->path().string(),
                is_link ? "a link to a folder or to nothing" : "neither a file nor a folder"};
        }
        if (unknown) {
            throw Error{ErrorKind::Input, "cannot read", entry->path().string(), unknown.message()};
        }
    }
    if (error) {
        throw Error{ErrorKind::Input, "cannot read the folder", folder.string(), error.message()};
    }
}

} // namespace

std::vector<FolderFile> files_below(const fs::path& folder)
{
    std::vector<FolderFile> files;
    collect(folder, {}, files);
    std::sort(
        files.begin(), files.end(), [](const FolderFile& a, const FolderFile& b) { return a.name < b.name; });
    return files;
}

} // namespace dcmpipe::archive
