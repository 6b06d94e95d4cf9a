#pragma once

#include "dicom/vr.hpp"

#include <string_view>

/// What the values of private elements look like where they are what they claim to be. Pure functions.
namespace dcmpipe::deid {

/// Numbers in decimal, several of them apart by backslashes, blanks or slashes; empty ones too.
bool is_numbers(std::string_view text) noexcept;

/// A short technical word or list of them: printable ASCII without what names, markup and mail are written
/// with.
bool is_code(std::string_view text) noexcept;

/// False where the value cannot be one of this VR: letters in a number, half a binary number. True for VRs
/// whose values can be anything.
bool reads_as(dicom::Vr vr, std::string_view value) noexcept;

} // namespace dcmpipe::deid
