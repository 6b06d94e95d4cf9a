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

std::vector<Entry> entries_of(const fs::path& folder)
{
    std::vector<Entry> entries;
    std::error_code error;
    for (auto entry = fs::directory_iterator{folder, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        auto name = entry->path().filename().string();
        if (!name.starts_with('.')) {
            std::error_code ignored;
            entries.push_back({std::move(name), entry->is_directory(ignored)});
        }
    }
    if (error) {
        throw Error{ErrorKind::Input, "cannot read the folder", folder.string(), error.message()};
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
}

/// Names of files that stand one after the other in a folder.
struct Run {
    fs::path folder;
    std::vector<std::string> names;
};

void collect(const fs::path& folder, std::vector<Run>& runs)
{
    std::vector<std::string>* names = nullptr;
    for (auto& entry : entries_of(folder)) {
        std::error_code ignored;
        // A link to a folder may lead round in circles; a link to a file is a file.
        if (entry.is_folder && !fs::is_symlink(folder / entry.name, ignored)) {
            collect(folder / entry.name, runs);
            names = nullptr;
        } else if (!entry.is_folder) {
            names = names != nullptr ? names : &runs.emplace_back(Run{folder, {}}).names;
            names->push_back(std::move(entry.name));
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

void visit_files_below(const fs::path& root, const std::function<void(const fs::path& file)>& visit)
{
    std::error_code ignored;
    if (!fs::is_directory(root, ignored)) {
        return visit(root);
    }
    std::vector<Run> runs;
    collect(root, runs);
    for (const auto& run : runs) {
        for (const auto& name : run.names) {
            visit(run.folder / name);
        }
    }
}

std::vector<fs::path> files_below(const fs::path& root)
{
    std::vector<fs::path> files;
    visit_files_below(root, [&](const fs::path& file) { files.push_back(file); });
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
