#pragma once

#include "retrieve/attributes.hpp"

#include <string>
#include <string_view>

/// The identifiers of queries and their answers (PS3.4 §C.4.1.1.3): flat data sets. All functions are pure.
namespace dcmpipe::retrieve {

/// The data set of these attributes for a query at this level. Specific Character Set is always in it, for
/// some nodes name theirs only then: empty for plain ASCII, else `character_set`.
/// Throws Error{Usage} where a value has no place in that set.
std::string encode_identifier(
    const Attributes& attributes, Level level, std::string_view transfer_syntax,
    std::string_view character_set);

/// The top-level attributes of an answer that are text; others are left out. An answer that names no
/// character set is in `otherwise`, ASCII where that is empty. Throws Error{Peer} where the bytes are no data
/// set.
Attributes decode_identifier(
    std::string_view bytes, std::string_view transfer_syntax, std::string_view otherwise = {});

} // namespace dcmpipe::retrieve
