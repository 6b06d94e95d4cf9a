#pragma once

#include "archive/dicomdir.hpp"
#include "archive/media_item.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace dcmpipe::archive {

struct MediaCounts {
    std::uint64_t patients = 0;
    std::uint64_t studies = 0;
    std::uint64_t series = 0;
    std::uint64_t instances = 0; ///< records that refer to a file
};

MediaCounts count(const Directory& directory);

/// Adds the records of instances to a directory, each below the patient, study and series that it knows
/// already or gets from that instance. Not for sharing between threads.
class DirectoryBuilder {
public:
    /// Borrows the directory. `more_keys` is that of a MediaProfile.
    explicit DirectoryBuilder(Directory& directory, bool more_keys = false);

    /// The item's keys are borrowed for as long as the directory stands. Opens its source where a record is
    /// needed that it has no keys for. Throws Error{Input}: then nothing was added.
    void add(const MediaItem& item);

private:
    using Records = std::map<std::string, DirectoryRecord*>;

    void index(DirectoryRecord& record, const std::string& above);

    Directory& directory_;
    const RecordType& patient_;
    const RecordType& series_;
    Records places_; ///< patients, studies and series by place_key()
};

} // namespace dcmpipe::archive
