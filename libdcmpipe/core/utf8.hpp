#pragma once

#include <string>
#include <string_view>

namespace dcmpipe {

/// True where all of `text` is well-formed UTF-8.
bool is_utf8(std::string_view text) noexcept;

/// `text` as it is where it is UTF-8; each byte that belongs to no character becomes U+FFFD.
std::string made_utf8(std::string_view text);

/// ISO 8859-1 as UTF-8; any bytes have a reading.
std::string from_latin1(std::string_view text);

} // namespace dcmpipe
