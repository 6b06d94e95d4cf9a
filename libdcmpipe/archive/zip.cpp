#include "archive/zip.hpp"

#include "archive/zip_check.hpp"
#include "archive/zip_parts.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view extension = ".zip";

/// All that a name may be made of stands before the pixels.
constexpr dicom::Tag before_pixels{0x7fdf, 0xffff};

fs::path normal(const fs::path& folder)
{
    auto path = fs::absolute(folder).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
}

/// The head of a file, or nothing where it is no instance: a note beside the images, a DICOMDIR.
std::optional<dicom::Instance> head_of(const fs::path& file, dicom::Tag last)
{
    try {
        auto head = dicom::Instance::open_head(file, last);
        if (head.study_uid().empty() || head.sop_class_uid() == dicom::uid::MediaStorageDirectoryStorage) {
            return std::nullopt;
        }
        return head;
    } catch (const Error&) {
        return std::nullopt; // packed as it is; what cannot be read at all fails there
    }
}

/// The files of a study folder, and where its ZIP goes.
struct Contents {
    fs::path zip;
    std::string study_uid;
    std::vector<SeriesFile> files;
};

/// Names the ZIP by the first instance: all others must be of its study.
Contents read_contents(const fs::path& folder, const dicom::Layout& layout)
{
    Contents contents;
    for (auto& file : files_below(folder)) {
        const bool first = contents.study_uid.empty();
        const auto head = head_of(folder / file.name, first ? before_pixels : dicom::tags::SeriesInstanceUID);
        // An instance without a series is a series by itself: what it is of is not known.
        const auto series = !head                        ? std::string{}
                            : head->series_uid().empty() ? file.name
                                                         : std::string{head->series_uid()};
        contents.files.push_back({std::move(file), series});
        if (!head) {
            continue;
        }
        if (first) {
            contents.study_uid = head->study_uid();
            contents.zip = layout.place_of(head->data_set()).file;
        } else if (head->study_uid() != contents.study_uid) {
            throw Error{
                ErrorKind::Input, "cannot pack", folder.string(), "it holds instances of several studies"};
        }
    }
    if (contents.study_uid.empty()) {
        throw Error{ErrorKind::Input, "cannot pack", folder.string(), "no DICOM instance is in it"};
    }
    // A name cut to what a file system can hold may have lost its ending.
    if (contents.zip.extension() != extension) {
        contents.zip += extension;
    }
    return contents;
}

/// `NAME.zip`, or `NAME.part1of3.zip`.
fs::path name_of_part(const fs::path& zip, std::size_t part, std::size_t parts)
{
    auto name = zip;
    return parts == 1 ? name : name.replace_extension(fmt::format(".part{}of{}{}", part, parts, extension));
}

[[noreturn]] void fail_to_read(const fs::path& path)
{
    throw Error::from_errno(ErrorKind::Input, "cannot read", path.string());
}

Fd open_for_reading(const fs::path& path)
{
    Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!fd && errno != ENOENT) {
        fail_to_read(path);
    }
    return fd;
}

std::size_t read_block(int fd, std::string& block, std::uint64_t offset, const fs::path& name)
{
    ssize_t count = 0;
    do {
        count = ::pread(fd, block.data(), block.size(), static_cast<off_t>(offset));
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        fail_to_read(name);
    }
    return static_cast<std::size_t>(count);
}

/// True where `path` stands with exactly the bytes of `fd`. Two blocks of memory, whatever the size.
bool stands_equal(const fs::path& path, int fd)
{
    const Fd old = open_for_reading(path);
    const Fd now = open_for_reading(fmt::format("/proc/self/fd/{}", fd));
    struct stat old_status {};
    struct stat status {};
    if (!old || ::fstat(old.get(), &old_status) != 0 || ::fstat(now.get(), &status) != 0 ||
        old_status.st_size != status.st_size) {
        return false;
    }
    std::string old_block(1U << 20U, '\0');
    std::string block(1U << 20U, '\0');
    for (std::uint64_t offset = 0;;) {
        const auto old_count = read_block(old.get(), old_block, offset, path);
        const auto count = read_block(now.get(), block, offset, path);
        if (old_count != count ||
            !std::equal(
                block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count), old_block.begin())) {
            return false;
        }
        if (count == 0) {
            return true;
        }
        offset += count;
    }
}

} // namespace

Zipper::Zipper(ZipSettings settings) : settings_(std::move(settings)), layout_(settings_.name)
{
    if (!settings_.name.ends_with(extension)) {
        throw Error{ErrorKind::Usage, "wrong name", settings_.name, "a ZIP's name ends with .zip"};
    }
}

/// The names of one run are apart even where replacing is allowed: else the second of two studies with one
/// name would take the first one's place.
void Zipper::claim(const fs::path& zip, const fs::path& study_folder)
{
    const auto [other, is_new] = named_.emplace(zip, study_folder);
    if (!is_new && other->second != study_folder) {
        throw Error{
            ErrorKind::Output, "cannot name the ZIP", zip.string(),
            fmt::format("another study of this run has the name; does {} tell them apart?", settings_.name)};
    }
}

void Zipper::pack(const fs::path& study_folder, const std::function<void(const PackedStudy&)>& packed)
{
    const auto folder = normal(study_folder);
    const auto contents = read_contents(folder, layout_);
    claim(settings_.out_dir / contents.zip, folder);
    const auto parts = split_by_series(contents.files, settings_.max_part);
    std::set<std::string> instances; // by name: whatever belongs to a series
    for (const auto& [file, series] : contents.files) {
        if (!series.empty()) {
            instances.insert(file.name);
        }
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        PackedStudy part;
        part.path = settings_.out_dir / name_of_part(contents.zip, i + 1, parts.size());
        part.study_uid = contents.study_uid;
        part.files = parts[i].size();
        part.instances =
            static_cast<std::uint64_t>(std::count_if(parts[i].begin(), parts[i].end(), [&](const auto& file) {
                return instances.contains(file.name);
            }));
        part.part = i + 1;
        part.parts = parts.size();
        if (!settings_.dry_run) {
            pack_part(folder, parts[i], part);
        }
        packed(part);
    }
}

void Zipper::pack_part(const fs::path& folder, std::span<const FolderFile> files, PackedStudy& part)
{
    OutputFile zip{part.path};
    write_zip(zip.fd(), part.path, folder, files, settings_.form);
    if (check_zip(zip.fd(), part.path, settings_.form.password).entries != files.size()) {
        throw Error{ErrorKind::Internal, "cannot pack", folder.string(), "the ZIP lacks files"};
    }
    struct stat status {};
    if (::fstat(zip.fd(), &status) != 0) {
        fail_to_read(part.path);
    }
    part.bytes = static_cast<std::uint64_t>(status.st_size);

    const auto existing = settings_.overwrite ? Existing::Replace : Existing::Keep;
    // Each encryption has its own salt: what was encrypted is compared instead of the bytes.
    const auto& password = settings_.form.password;
    const auto stands = [&] {
        return password.empty() ? stands_equal(part.path, zip.fd())
                                : same_entries(part.path, zip.fd(), password);
    };
    const bool stood = stands();
    if (!stood && zip.publish(existing)) {
        return;
    }
    if (!stood && !stands()) {
        throw Error{
            ErrorKind::Output, "cannot write", part.path.string(),
            "another ZIP has this name; --overwrite replaces it"};
    }
    sync_folder(part.path.parent_path()); // who gave it the name may have been killed before this
    part.status = Status::Skipped;
}

} // namespace dcmpipe::archive
