#pragma once

#include "dicom/tag.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe::deid {

/// Cleans one private value of bytes that holds a header of its maker's own: what is known to be technical
/// stays, in a form that the maker's software and converters read.
using HeaderCleaner = std::optional<std::string> (*)(std::string_view bytes);

/// The cleaner for a private element, by creator and element number within the block; null where it holds no
/// header that we can read. A cleaner gives nothing where the bytes are not what they should be. Pure.
HeaderCleaner vendor_header_cleaner(dicom::Tag tag, std::string_view creator) noexcept;

} // namespace dcmpipe::deid
