#pragma once

#include "archive/directory_keys.hpp"
#include "archive/media_profile.hpp"
#include "dicom/instance.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe::archive {

/// What tells a file from another, or from itself after it was written to.
struct FileState {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t changed = 0; ///< when its bytes were, in ns

    bool operator==(const FileState&) const = default;
};

/// An instance that goes onto media: what places it there, and what its directory record says.
struct MediaItem {
    std::filesystem::path source;
    const RecordType* type = nullptr;
    std::string patient; ///< Patient ID or, where there is none, the name; empty below the root
    std::string study_uid;
    std::string series_uid;
    std::string instance_uid;
    std::string sop_class_uid;
    std::string transfer_syntax;
    long number = 0;                        ///< Instance Number
    std::optional<std::string_view> keys{}; ///< record_keys(), borrowed; nothing where they need its place
    bool is_part10 = false;                 ///< it goes onto media as it is
    FileState state{};                      ///< of the source when it was read
    std::string file_id{};                  ///< `PT000000/ST000000/SE000000/IM000000`; by FileIds
};

/// What a file is to a media copy, before others are compared with it.
enum class MediaInput {
    Instance,
    NotDicom,
    Directory, ///< a DICOMDIR: a new one is made
    Repeated,  ///< the same instance as another file, byte for byte
    OwnOutput, ///< stands in the output folder
};

struct ReadInput {
    MediaInput kind = MediaInput::Instance;
    MediaItem item{};                  ///< of an instance, without its keys
    std::optional<std::string> keys{}; ///< record_keys() of it
};

/// Reads a file. Throws Error{Input}: unreadable, damaged, without an attribute that places it or that its
/// record must have, of a SOP class that has no directory record, in a transfer syntax that the profile does
/// not allow.
ReadInput read_input(const std::filesystem::path& file, const MediaProfile& profile);

/// Opens the source of an item again. Throws Error{Input} where it is another than it was.
dicom::Instance reopen(const MediaItem& item);

/// Writes the item to its place below `folder`, unless the same bytes stand there already; not synced yet.
/// Returns how many bytes. Throws Error{Input} about the source and Error{Output} about the target.
std::uint64_t copy_item(const MediaItem& item, const std::filesystem::path& folder);

/// True where `file` holds just what copy_item() would write. Throws Error{Input} about the source.
bool stands_as(const MediaItem& item, const std::filesystem::path& file);

} // namespace dcmpipe::archive
