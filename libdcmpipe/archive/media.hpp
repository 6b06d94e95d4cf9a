#pragma once

#include "archive/media_plan.hpp"
#include "core/error.hpp"
#include "core/record.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace dcmpipe::archive {

struct MediaSettings {
    std::filesystem::path out_dir;
    bool overwrite = false; ///< replace what stands in the folder
};

/// What a file is to a media copy.
enum class MediaInput {
    Instance,
    NotDicom,
    Directory, ///< a DICOMDIR: a new one is made
    Repeated,  ///< the same instance as another file, byte for byte
    OwnOutput, ///< stands in the output folder
};

struct MediaResult {
    std::filesystem::path dicomdir;
    Status status = Status::Ok; ///< Skipped where the same media stood there already
    MediaCounts counts;
    std::uint64_t bytes = 0;          ///< of the instances
    std::uint64_t other_syntaxes = 0; ///< instances in another than Explicit VR Little Endian (PS3.11 §D)
};

/// Makes a media copy (PS3.10, PS3.11 §D General Purpose) of instances: files under File IDs, and a DICOMDIR.
/// Not for sharing between threads.
///
/// The DICOMDIR comes last, whole and durable: without it, the folder is no media. A run that was killed
/// before leaves its work marked, and the same run again goes on from there.
class MediaWriter {
public:
    using OnFailure = std::function<void(const std::filesystem::path& source, const Error& error)>;
    using OnCopied = std::function<void(std::uint64_t bytes)>;

    explicit MediaWriter(MediaSettings settings);

    /// Takes in a file; only its header is read. Throws Error{Input}: damaged, without an attribute that
    /// places it, or another instance with the same SOP Instance UID.
    MediaInput add(const std::filesystem::path& file);

    /// Copies all that was taken in, byte for byte but for missing file meta information, and writes the
    /// DICOMDIR. `on_failure` is called for each file that cannot be copied or has no place in a DICOMDIR,
    /// `on_copied` with the bytes of each that was; the others go on.
    ///
    /// Throws Error{Input} where nothing was taken in, Error{Output} where the folder holds other files and
    /// may not be overwritten, another process writes there, or it cannot be written, Error{Cancelled} where
    /// a stop is requested.
    MediaResult write(const OnFailure& on_failure, const OnCopied& on_copied);

private:
    MediaResult compare(const OnFailure& on_failure) const;
    MediaResult make(int folder, const OnFailure& on_failure, const OnCopied& on_copied);

    MediaSettings settings_;
    std::filesystem::path canonical_out_;
    std::uint64_t other_syntaxes_ = 0;
    std::vector<MediaItem> items_;
    std::map<std::string, std::filesystem::path> instances_; ///< by SOP Instance UID
};

} // namespace dcmpipe::archive
