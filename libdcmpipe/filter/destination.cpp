#include "filter/destination.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/rope.hpp"
#include "dicom/study_folder.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe::filter {

namespace fs = std::filesystem;

namespace {

fs::path normal(const fs::path& path)
{
    auto whole = fs::absolute(path).lexically_normal();
    return whole.has_filename() ? whole : whole.parent_path();
}

bool is_file(const dicom::Instance& instance, const fs::path& path)
{
    struct stat ours {};
    struct stat theirs {};
    return ::fstat(instance.file()->fd(), &ours) == 0 && ::stat(path.c_str(), &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/// Gives the open file, the one that was judged, another name.
bool make_link(const dicom::Instance& instance, const fs::path& path)
{
    const auto open_file = fmt::format("/proc/self/fd/{}", instance.file()->fd());
    if (::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) {
        return true;
    }
    if (errno == EEXIST) {
        return false;
    }
    throw Error::from_errno(ErrorKind::Output, "cannot link", path.string());
}

bool holds_the_same(const fs::path& path, const dicom::Instance& instance)
{
    std::error_code ignored;
    return is_file(instance, path) ||
           (fs::is_regular_file(path, ignored) && FileBytes::open(path).view() == instance.bytes());
}

/// Makes the link, over what has the name; false where something has it and `existing` is Keep.
bool link_file(const dicom::Instance& instance, const fs::path& path, Existing existing)
{
    make_folders(path.parent_path());
    if (!make_link(instance, path)) {
        if (existing == Existing::Keep) {
            return false;
        }
        std::error_code ignored;
        const auto hidden = path.parent_path() / fmt::format(".{}.{}", path.filename().string(), ::getpid());
        fs::remove(hidden, ignored);
        make_link(instance, hidden);
        if (::rename(hidden.c_str(), path.c_str()) != 0) {
            throw Error::from_errno(ErrorKind::Output, "cannot link", path.string());
        }
    }
    sync_folder(path.parent_path());
    return true;
}

bool copy_file(const dicom::Instance& instance, const fs::path& path, Existing existing)
{
    Rope bytes;
    bytes.borrow(instance.bytes());
    OutputFile copy{path};
    bytes.write_to(copy.fd(), instance.file(), path);
    return copy.publish(existing);
}

/// The nearest marked folder from the file up to the input; empty where there is none.
fs::path marked_folder(const fs::path& file, const fs::path& input)
{
    for (auto folder = file.parent_path(); folder != input.parent_path() && folder.has_relative_path();
         folder = folder.parent_path()) {
        if (dicom::is_study_folder(folder)) {
            return folder;
        }
    }
    return {};
}

} // namespace

Destination::Place Destination::place_of(
    const fs::path& input, const fs::path& file, const dicom::Instance& instance)
{
    if (settings_.layout) {
        auto place = settings_.layout->place_of(instance.data_set());
        const bool known = !place.study_folder.empty();
        return {
            settings_.folder / place.file, known ? settings_.folder / place.study_folder : fs::path{}, known};
    }
    const auto top = normal(input);
    const auto inside = normal(file);
    const auto [taken, free] = named_.try_emplace(top.filename(), top);
    if (!free && taken->second != top) {
        throw Error{
            ErrorKind::Output, "cannot place", file.string(),
            fmt::format("another input is named '{}' as well: use --layout", top.filename().string())};
    }
    const auto here = settings_.folder / top.filename();
    if (inside == top) {
        return {here, {}, false};
    }
    const auto marked = marked_folder(inside, top);
    const bool whole = marked.empty() || marked == top;
    return {
        here / inside.lexically_relative(top), whole ? here : here / marked.lexically_relative(top),
        !marked.empty()};
}

Destination::Placed Destination::put(
    const fs::path& input, const fs::path& file, const dicom::Instance& instance)
{
    auto place = place_of(input, file, instance);
    auto status = Status::Ok;
    if (!settings_.dry_run) {
        const auto make = settings_.transfer == Transfer::Link ? &link_file : &copy_file;
        const auto existing = settings_.overwrite ? Existing::Replace : Existing::Keep;
        if (holds_the_same(place.file, instance)) {
            status = Status::Skipped;
        } else if (!make(instance, place.file, existing)) {
            throw Error{
                ErrorKind::Output, "cannot write", place.file.string(),
                "it exists and differs (--overwrite replaces it)"};
        }
        if (place.is_marked) {
            dicom::mark_study_folder(place.study_folder, instance.study_uid());
        }
    }
    return {std::move(place.file), std::move(place.study_folder), status};
}

} // namespace dcmpipe::filter
