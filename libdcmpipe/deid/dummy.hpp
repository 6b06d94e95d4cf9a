#pragma once

#include "dicom/tag.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/vr.hpp"

#include <optional>
#include <string>

/// Values that say nothing, for attributes that must have one (action D of PS3.15 §E.3.1). Pure functions.
namespace dcmpipe::deid {

/// A valid value of the VR, in the byte order of `encoding`; empty for SQ.
std::string dummy_value(dicom::Vr vr, dicom::Encoding encoding);

/// The content of a sequence that must have an item: one item with dummies of its type 1 members. Nothing
/// for sequences that we have no such item for.
std::optional<std::string> dummy_items(dicom::Tag sequence, dicom::Encoding encoding);

} // namespace dcmpipe::deid
