#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The headers that GE MR systems hide in private values of bytes. No part of the standard; little endian
/// whatever the data set is. Pure functions, made for hostile bytes.
namespace dcmpipe::deid {

/// (0025,xx1B) of "GEMS_SERS_01": a length, then a gzip file of lines like `SLICEORDER "1"`. The lines that
/// tell order and timing of slices stay; comments, names, plan and file name go. Nothing where it cannot be
/// read.
std::optional<std::string> cleaned_ge_protocol(std::string_view bytes);

/// (0043,xx2A) of "GEMS_PARM_01": the raw data header's user variables. Two flags and a number stay that tell
/// the direction of phase encoding; every other byte becomes zero. Nothing where it cannot be read.
std::optional<std::string> cleaned_ge_user_data(std::string_view bytes);

} // namespace dcmpipe::deid
