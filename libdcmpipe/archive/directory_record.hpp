#pragma once

#include "archive/directory_keys.hpp"
#include "dicom/instance.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe::archive {

/// The keys of a directory record of this type, encoded in Explicit VR Little Endian in the order of their
/// tags, with the Specific Character Set that they need: text of no declared set becomes UTF-8. `place` is
/// the record's number among its sisters, from 1, for what is invented by it; nothing where it is not known
/// yet: then the result is nothing if it is needed.
///
/// Throws Error{Input} where a value of type 1 is missing that nothing can stand in for.
std::optional<std::string> record_keys(
    const RecordType& type, const dicom::ElementIndex& data_set, std::optional<std::uint32_t> place);

/// The elements by which a record refers to its file (PS3.3 Table F.3-3), encoded likewise. `file_id` is
/// parted by slashes.
std::string record_reference(
    std::string_view file_id, std::string_view sop_class_uid, std::string_view instance_uid,
    std::string_view transfer_syntax);

} // namespace dcmpipe::archive
