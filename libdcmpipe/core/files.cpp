#include "core/files.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace dcmpipe {

namespace fs = std::filesystem;

namespace {

std::vector<fs::directory_entry> entries_of(const fs::path& folder)
{
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    for (auto entry = fs::directory_iterator{folder, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        if (!entry->path().filename().native().starts_with('.')) {
            entries.push_back(*entry);
        }
    }
    if (error) {
        throw Error{ErrorKind::Input, "cannot read the folder", folder.string(), error.message()};
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

void collect(const fs::path& folder, std::vector<fs::path>& files)
{
    for (const auto& entry : entries_of(folder)) {
        std::error_code ignored;
        // A link to a folder may lead round in circles; a link to a file is a file.
        if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
            collect(entry.path(), files);
        } else if (!entry.is_directory(ignored)) {
            files.push_back(entry.path());
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

std::vector<fs::path> files_below(const fs::path& root)
{
    std::error_code ignored;
    if (!fs::is_directory(root, ignored)) {
        return {root};
    }
    std::vector<fs::path> files;
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
