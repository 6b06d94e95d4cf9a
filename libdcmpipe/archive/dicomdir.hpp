#pragma once

#include "dicom/element_index.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>

namespace dcmpipe::archive {

/// Record In-use Flag (0004,1410) of a record that is in use.
constexpr std::uint16_t record_in_use = 0xffff;

/// A directory record (PS3.3 §F.3.2.2) with what stands below it. Elements are encoded in Explicit VR Little
/// Endian, and borrowed: Directory::keep() has them last as long as the directory.
struct DirectoryRecord {
    std::string_view type;      ///< `PATIENT`
    std::string_view reference; ///< to its file: what else is of group 0004; empty where there is none
    std::string_view keys;      ///< all other elements
    std::list<DirectoryRecord> below{};
};

/// The content of a DICOMDIR: a forest of records. Not for sharing between threads.
struct Directory {
    std::string file_set; ///< File-set ID and the like, encoded as in a record
    std::list<DirectoryRecord> roots{};

    /// An empty directory with our File-set ID.
    Directory();

    /// Records that are not in use are left out. Throws Error{Input} where it is no DICOMDIR, or one whose
    /// offsets lead astray, past eight levels or twice to one record.
    static Directory read(const std::filesystem::path& dicomdir);

    /// A copy of the text.
    std::string_view keep(std::string_view text);

    /// Gives the bytes of a DICOMDIR (PS3.10 §8.6) piece by piece, the same for the same records; so is its
    /// SOP Instance UID. Throws Error{Output} where it would be larger than its offsets can say (4 GiB).
    void write(const std::function<void(std::string_view piece)>& sink) const;
    std::string bytes() const;

    /// True where those would be the bytes.
    bool is(std::string_view bytes) const;

private:
    std::unique_ptr<std::pmr::monotonic_buffer_resource> kept_;
};

/// `PT000000/ST000000/SE000000/IM000000`, the file that a record refers to; empty where it refers to none.
std::string file_id_of(const DirectoryRecord& record);

/// The value of an attribute in a record's reference or keys, without padding; empty where it has none.
std::string text_of(std::string_view elements, dicom::Tag tag);

} // namespace dcmpipe::archive
