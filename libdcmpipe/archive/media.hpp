#pragma once

#include "archive/directory_builder.hpp"
#include "archive/media_folder.hpp"
#include "archive/media_item.hpp"
#include "archive/media_shelf.hpp"
#include "core/error.hpp"
#include "core/record.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace dcmpipe::archive {

struct MediaSettings {
    std::filesystem::path out_dir;
    bool overwrite = false; ///< replace what stands in the folder
    bool update = false;    ///< add to the media that stands in the folder
    unsigned jobs = 0;      ///< files read and copied at once; 0: one a core
    const MediaProfile* profile = &no_media_profile;
};

struct MediaResult {
    std::filesystem::path dicomdir;
    Status status = Status::Ok;       ///< Skipped where the same media stood there already
    MediaCounts counts;               ///< of all that the DICOMDIR names
    std::uint64_t added = 0;          ///< instances that this run put there
    std::uint64_t bytes = 0;          ///< of the instances that were given
    std::uint64_t other_syntaxes = 0; ///< instances in another than Explicit VR Little Endian (PS3.11 §D)
};

/// What a MediaWriter tells while it works. Called from one thread at a time.
struct MediaEnds {
    std::function<void(const std::filesystem::path& file, MediaInput kind)> taken_in;
    std::function<void(const std::filesystem::path& file, const Error& error)> failed;
    std::function<void(std::uint64_t bytes)> copied;
};

/// Makes a media copy (PS3.10, PS3.11 §D General Purpose) of instances: files under File IDs, and a DICOMDIR.
/// Not for sharing between threads.
///
/// The DICOMDIR comes last, whole and durable: without it, the folder is no media. A run that was killed
/// before leaves its work marked, and the same run again goes on from there. Media that is updated keeps
/// its DICOMDIR until the new one takes its place.
class MediaWriter {
public:
    MediaWriter(MediaSettings settings, MediaEnds ends);

    /// Takes in a file and tells of it, now or later: what it is, or why it fails (read_input(), or another
    /// file has its SOP Instance UID).
    void add(const std::filesystem::path& file);

    /// To be called once, after add(). Copies all that was taken in, byte for byte but for missing file meta
    /// information, and writes the DICOMDIR. A file that cannot be copied fails; the others go on.
    ///
    /// Throws Error{Input} where nothing was taken in or media cannot be updated, Error{Output} where the
    /// folder holds other files and may not be overwritten, another process writes there, or it cannot be
    /// written, Error{Cancelled} where a stop is requested.
    MediaResult write();

private:
    using Numbers = std::vector<std::uint32_t>; ///< of items on the shelf

    void read_waiting();
    void take(const ReadInput& input, const std::filesystem::path& file);
    MediaResult compare();
    MediaResult make(const MediaFolder& folder);
    MediaResult update(const MediaFolder& folder);
    Numbers copy_all(const Numbers& items, MediaResult& result);
    void build(Directory& directory, Numbers& items);
    void fail(const MediaItem& item, const Error& error) const;

    MediaSettings settings_;
    MediaEnds ends_;
    std::filesystem::path canonical_out_;
    std::vector<std::filesystem::path> waiting_; ///< not read yet
    MediaShelf items_;
};

} // namespace dcmpipe::archive
