#include "core/files.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace dcmpipe {

namespace fs = std::filesystem;

namespace {

struct Entry {
    std::string name;
    bool is_folder;
};

/// What to look at in a folder, by name. A link to a folder may lead round in circles; a link to a file is a
/// file.
std::vector<Entry> entries_of(const fs::path& folder)
{
    std::vector<Entry> entries;
    std::error_code error;
    for (auto entry = fs::directory_iterator{folder, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        std::error_code ignored;
        auto name = entry->path().filename().string();
        const bool is_folder = entry->is_directory(ignored);
        if (!name.starts_with('.') && !(is_folder && entry->is_symlink(ignored))) {
            entries.push_back({std::move(name), is_folder});
        }
    }
    if (error) {
        throw Error{ErrorKind::Input, "cannot read the folder", folder.string(), error.message()};
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
}

void collect(const fs::path& folder, std::vector<std::string>& files)
{
    for (const auto& [name, is_folder] : entries_of(folder)) {
        if (is_folder) {
            collect(folder / name, files);
        } else {
            files.push_back((folder / name).string());
        }
    }
}

fs::path resolved(const fs::path& path)
{
    std::error_code error;
    const auto whole = fs::absolute(path, error);
    auto real = error ? whole : fs::weakly_canonical(whole, error);
    if (error) {
        throw Error{ErrorKind::Input, "cannot follow", path.string(), error.message()};
    }
    return real;
}

} // namespace

std::vector<std::string> files_below(const fs::path& root)
{
    std::error_code ignored;
    if (!fs::is_directory(root, ignored)) {
        return {root.string()};
    }
    std::vector<std::string> files;
    collect(root, files);
    return files;
}

bool is_below(const fs::path& path, const fs::path& folder)
{
    const auto inner = resolved(path);
    const auto outer = resolved(folder);
    const auto [rest, end] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
    return rest == outer.end() || (std::next(rest) == outer.end() && rest->empty());
}

} // namespace dcmpipe
