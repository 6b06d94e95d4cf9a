#pragma once

#include "retrieve/fetcher.hpp"

#include <string>
#include <string_view>

namespace dcmpipe::retrieve {

/// What a request asks for: a series, or images of it by their UIDs (PS3.4 §C.4.2.2.1, §C.4.3.2.1).
std::string identifier_of(const Request& request, std::string_view transfer_syntax);

/// The same at Patient level, with Patient ID: see MoveSettings::patient_level.
std::string identifier_at_patient_level(
    const Request& request, std::string_view transfer_syntax, std::string_view character_set);

} // namespace dcmpipe::retrieve
