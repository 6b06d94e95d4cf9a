#pragma once

#include "visit.hpp"

#include <string>
#include <string_view>

namespace studies {

/// A Secondary Capture image (PS3.3 §A.8.1) of the phantom's head, 16 bits gray, 64 by 64. The name and
/// number make its UIDs; its series is `captures`.
void put_capture(DcmItem& data_set, Visit& visit, std::string_view name, unsigned number);

/// As put_capture(), 8 bits, gray or colour.
void put_capture_of_bytes(
    DcmItem& data_set, Visit& visit, std::string_view name, unsigned number, bool colour);

} // namespace studies
