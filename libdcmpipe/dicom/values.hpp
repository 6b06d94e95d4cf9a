#pragma once

#include "dicom/charset.hpp"
#include "dicom/element_index.hpp"

#include <string>
#include <vector>

namespace dcmpipe::dicom {

/// The values of an element as text, for comparing: characters as UTF-8 without padding, numbers in decimal,
/// tags as `(gggg,eeee)`. None for bytes and sequences; an element of length 0 has one value, the empty one.
/// `characters` is the character set of the data set or item that holds the element. Thread-safe.
std::vector<std::string> values_of(
    const ElementIndex& index, const Element& element, const CharacterSet& characters);

} // namespace dcmpipe::dicom
