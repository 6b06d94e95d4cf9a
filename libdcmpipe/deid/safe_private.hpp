#pragma once

#include "dicom/tag.hpp"

#include <string_view>

namespace dcmpipe::deid {

/// True for the private elements that PS3.15 Table E.3.10-1 knows to be safe, by creator and by the element
/// number within its block.
bool is_safe_private(dicom::Tag tag, std::string_view creator) noexcept;

} // namespace dcmpipe::deid
