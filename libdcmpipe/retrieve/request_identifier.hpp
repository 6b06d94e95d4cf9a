#pragma once

#include "retrieve/fetcher.hpp"

#include <string>
#include <string_view>

namespace dcmpipe::retrieve {

/// What a request asks for: a series, or images of it by their UIDs (PS3.4 §C.4.2.2.1, §C.4.3.2.1).
std::string identifier_of(const Request& request, std::string_view transfer_syntax);

} // namespace dcmpipe::retrieve
