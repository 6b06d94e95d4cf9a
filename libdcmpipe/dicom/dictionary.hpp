#pragma once

#include "dicom/tag.hpp"
#include "dicom/vr.hpp"

#include <optional>
#include <string_view>

/// The public attributes of PS3.6, from a table made at build time out of DCMTK's dictionary: no file is
/// loaded at run time. All functions are pure and may be called from any thread.
namespace dcmpipe::dicom::dictionary {

struct Entry {
    Tag tag;
    Vr vr; ///< where PS3.6 allows several (`US or SS`, `OB or OW`): US, OW
    std::string_view keyword;
};

/// The attribute of this tag; repeating groups (50xx, 60xx) and elements included. Null where PS3.6 has
/// none, and for every private tag.
const Entry* find(Tag tag) noexcept;

/// The attribute of this keyword, as PS3.6 spells it: `PatientName`.
const Entry* find(std::string_view keyword) noexcept;

/// The VR that an implicit-VR data set implies: of the dictionary, LO for private creators, UL for group
/// lengths, UN for what is unknown.
Vr vr_of(Tag tag) noexcept;

/// `PatientName`, or `(0019,100C)` for what has no keyword.
std::string name_of(Tag tag);

/// A tag from a user's word: a keyword, `(gggg,eeee)`, `gggg,eeee` or `ggggeeee`.
std::optional<Tag> tag_from(std::string_view word) noexcept;

} // namespace dcmpipe::dicom::dictionary
