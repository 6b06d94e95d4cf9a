#pragma once

#include <string_view>

namespace dcmpipe::deid {

/// A surname that is also a word of a protocol, a body part or a disease, in either case.
bool is_everyday(std::string_view word);

} // namespace dcmpipe::deid
