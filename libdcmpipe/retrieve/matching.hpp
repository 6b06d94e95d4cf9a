#pragma once

#include "dicom/tag.hpp"

#include <string>
#include <string_view>

/// Matching as a C-FIND means it (PS3.4 §C.2.2.2), on our side: a node that ignores a key returns too much.
/// All functions are pure; text is UTF-8.
namespace dcmpipe::retrieve {

/// Why `value` can be no key for this attribute, without the value; empty where it can.
std::string problem_with(dicom::Tag tag, std::string_view value);

/// True where an attribute that has `value` (several joined by backslashes) fits `key`: a single value, a
/// list of UIDs, `*` and `?` in text, a range of dates or times. Names match whatever their case; all other
/// text must be spelt alike. A number may be written in any way.
bool matches(dicom::Tag tag, std::string_view key, std::string_view value);

} // namespace dcmpipe::retrieve
