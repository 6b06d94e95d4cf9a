#pragma once

#include "archive/zip_writer.hpp"
#include "core/record.hpp"
#include "dicom/layout.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>

namespace dcmpipe::archive {

struct ZipSettings {
    std::filesystem::path out_dir;
    std::string name = "{PatientID}_{StudyInstanceUID}.zip"; ///< a template of dicom::Layout
    ZipForm form{};
    bool overwrite = false; ///< replace a ZIP of the same name and other content
    /// A study whose files have more bytes becomes several ZIPs, each of whole series; 0: never. A series
    /// that is larger stands alone.
    std::uint64_t max_part = 0;
    bool dry_run =
        false; ///< say which ZIPs there would be; whether they stand there already is not looked at
};

/// What became of one study folder, or of one part of it.
struct PackedStudy {
    std::filesystem::path path; ///< of the ZIP
    Status status = Status::Ok; ///< Skipped where the same ZIP stood there already
    std::string study_uid;
    std::uint64_t instances = 0; ///< files that are DICOM instances
    std::uint64_t files = 0;     ///< all files in it
    std::uint64_t bytes = 0;     ///< of the ZIP
    std::size_t part = 1;        ///< from 1; `NAME.part1of3.zip` where there are several
    std::size_t parts = 1;
};

/// Packs study folders, one ZIP a study. Not for sharing between threads; several processes may pack into
/// one folder.
class Zipper {
public:
    /// Throws Error{Usage} where the name is no template of a ZIP's name.
    explicit Zipper(ZipSettings settings);

    /// Packs all files of a study folder but hidden ones (the study's marker among them) and returns once
    /// the ZIPs are durable under their names, `packed` called after each; before one has its name, all of
    /// it is read back (check_zip()). A process killed meanwhile leaves the parts that were done.
    ///
    /// Throws Error{Input}: no instance in the folder, instances of several studies, a file that cannot be
    /// read. Throws Error{Output}: cannot write; another ZIP has the name and `overwrite` is off, or this
    /// Zipper gave the name to another study.
    void pack(
        const std::filesystem::path& study_folder, const std::function<void(const PackedStudy&)>& packed);

private:
    void pack_part(const std::filesystem::path& folder, std::span<const FolderFile> files, PackedStudy& part);
    void claim(const std::filesystem::path& zip, const std::filesystem::path& study_folder);

    ZipSettings settings_;
    dicom::Layout layout_;
    std::map<std::filesystem::path, std::filesystem::path> named_; ///< ZIP to the study folder in it
};

} // namespace dcmpipe::archive
