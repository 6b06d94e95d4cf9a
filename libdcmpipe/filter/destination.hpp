#pragma once

#include "core/record.hpp"
#include "dicom/instance.hpp"
#include "dicom/layout.hpp"

#include <filesystem>
#include <map>
#include <optional>

namespace dcmpipe::filter {

enum class Transfer { Copy, Link };

/// A folder that instances are copied or linked (by hard links) into, as they are. Not for sharing between
/// threads.
class Destination {
public:
    struct Settings {
        std::filesystem::path folder;
        std::optional<dicom::Layout> layout{}; ///< none: as they stand in the input
        Transfer transfer = Transfer::Copy;
        bool overwrite = false;
        bool dry_run = false; ///< say where it would be
    };

    explicit Destination(Settings settings) : settings_(std::move(settings)) {}

    struct Placed {
        std::filesystem::path file;
        std::filesystem::path study_folder;
        Status status = Status::Ok; ///< Skipped where the same bytes stand there already
    };

    /// Puts a file of `input` (itself, or a folder that it stands below) there, durably. Without a layout an
    /// input `a/b` becomes `FOLDER/b`; its study folder is the nearest marked folder around the file, or the
    /// input itself. A study folder by a layout or mark is marked.
    ///
    /// Throws Error{Output}: cannot write, another file has the name, another input has the name.
    Placed put(
        const std::filesystem::path& input, const std::filesystem::path& file,
        const dicom::Instance& instance);

private:
    struct Place {
        std::filesystem::path file;
        std::filesystem::path study_folder;
        bool is_marked = false; ///< it is known to hold one study
    };

    Place place_of(
        const std::filesystem::path& input, const std::filesystem::path& file,
        const dicom::Instance& instance);

    Settings settings_;
    std::map<std::filesystem::path, std::filesystem::path>
        named_; ///< what stands below folder, and its input
};

} // namespace dcmpipe::filter
