#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The headers that Siemens MR systems hide in (0029,xx10) and (0029,xx20) of "SIEMENS CSA HEADER", and the
/// protocol text within. No part of the standard; little endian whatever the data set is. Pure functions,
/// made for hostile bytes: nothing is read out of bounds or allocated by a count that was only read.
namespace dcmpipe::deid {

/// One tag of a header: like an element, with values as text.
struct CsaTag {
    std::string name;
    std::int32_t multiplicity = 0;
    std::string vr; ///< at most three letters
    std::int32_t syngo_type = 0;
    std::vector<std::string> values; ///< without the NUL that ends them; empty ones stand between others
};

/// Both forms, with and without `SV10` in front. Nothing where the bytes are neither: a count past a limit, a
/// length past the end, a name without end. What stands behind the last tag is passed over.
std::optional<std::vector<CsaTag>> read_csa(std::string_view bytes);

/// In the form with `SV10`. What read_csa() gives comes back, without the memory that leaked into the
/// padding.
std::string write_csa(const std::vector<CsaTag>& tags);

/// The header with the tags that are known to be technical; the others stay, emptied. Nothing where it cannot
/// be read.
std::optional<std::string> cleaned_csa(std::string_view bytes);

/// The lines between `### ASCCONV BEGIN` and `### ASCCONV END` of a measurement protocol: numbers, and those
/// texts that sequences and coils are named by. All else goes, the XProtocol in front with it. Nothing where
/// there are no such lines.
std::optional<std::string> cleaned_protocol(std::string_view text);

} // namespace dcmpipe::deid
