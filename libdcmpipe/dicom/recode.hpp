#pragma once

#include "dicom/element_index.hpp"

#include <string>

namespace dcmpipe::dicom {

/// An element with all it contains, written in another encoding: implicit VR gets its VR from the dictionary
/// (UN where that knows none), numbers their bytes turned round; lengths stay defined or undefined as they
/// were. In its own encoding an element stays byte for byte, so that there and back again is the same.
/// Encapsulated pixel data stays as it is, and only little endian may hold it: throws Error{Input} else, and
/// where a value does not fit.
std::string recode(const ElementIndex& index, std::uint32_t element, Encoding to);

} // namespace dcmpipe::dicom
