#pragma once

#include "core/file_bytes.hpp"
#include "dicom/element_index.hpp"
#include "dicom/inflate.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe::dicom {

/// A DICOM file (PS3.10 §7) or bare data set, opened and indexed.
///
/// Files without preamble, without file meta information, or with one that names no transfer syntax are
/// read as well: the encoding then follows from the first element. Immutable; any thread may read it.
class Instance {
public:
    /// Throws Error{Input}: unreadable, not DICOM, damaged, past a limit.
    static Instance open(const std::filesystem::path& path, const Limits& limits = {});

    /// As open(), but indexes the top-level elements up to `last` only; what follows is not looked at.
    static Instance open_head(const std::filesystem::path& path, Tag last, const Limits& limits = {});

    /// From bytes in memory, which must outlive it. `name` stands for the path in errors.
    static Instance from_bytes(std::string_view bytes, std::string_view name, const Limits& limits = {});

    /// As open_head(), from the first bytes of an instance, which must outlive it; nothing where they do not
    /// reach past `last`, or make no sense as far as they go.
    static std::optional<Instance> from_first_bytes(
        std::string_view bytes, Tag last, const Limits& limits = {});

    /// Elements of group 0002; none where the file has no file meta information.
    const ElementIndex& meta() const noexcept { return meta_; }
    const ElementIndex& data_set() const noexcept { return data_set_; }

    /// The transfer syntax UID that the file names or its bytes imply.
    const std::string& transfer_syntax() const noexcept { return transfer_syntax_; }
    /// The data set was compressed as a whole; data_set() shows it inflated.
    bool is_deflated() const noexcept { return inflated_ != nullptr; }

    /// The whole file.
    std::string_view bytes() const noexcept { return bytes_; }
    /// Where the data set starts in bytes().
    std::uint64_t data_set_offset() const noexcept { return data_set_offset_; }
    /// The path it was opened by, or the name it was given: for messages.
    const std::string& name() const noexcept { return name_; }
    /// The open file; null for an instance from memory.
    const FileBytes* file() const noexcept { return file_.get(); }

    /// SOP Class UID (0008,0016), or what the file meta information says.
    std::string_view sop_class_uid() const noexcept;
    std::string_view study_uid() const noexcept;
    std::string_view series_uid() const noexcept;
    std::string_view instance_uid() const noexcept;

private:
    void read(Tag last, const Limits& limits);
    void read_data_set(Tag last, const Limits& limits);

    std::string name_;
    std::unique_ptr<FileBytes> file_;
    std::unique_ptr<Inflated> inflated_;
    std::string_view bytes_;
    std::uint64_t data_set_offset_ = 0;
    std::string transfer_syntax_;
    ElementIndex meta_;
    ElementIndex data_set_;
};

/// Length of preamble and prefix (PS3.10 §7.1).
inline constexpr std::size_t preamble_size = 128;

/// True where the bytes begin with a preamble and `DICM`.
bool has_prefix(std::string_view bytes) noexcept;

} // namespace dcmpipe::dicom
