#pragma once

#include <string>
#include <string_view>

namespace studies {

/// UTF-8 text as the bytes of a Specific Character Set (PS3.3 §C.12.1.1.2): one set for all, or code
/// extensions for Japanese and Korean (PS3.5 Annexes H and I). Throws std::runtime_error for text that the
/// set cannot say.
std::string encode_text(std::string_view utf8, std::string_view character_set);

/// Without the escape sequences at both ends: what of it also stands in the middle of a longer text.
std::string_view without_outer_escapes(std::string_view bytes);

} // namespace studies
