#pragma once

#include "dcm.hpp"

#include <string>

namespace studies {

/// An item with its header as it stands in a file.
std::string item_bytes(DcmItem& item, E_TransferSyntax syntax, E_EncodingType lengths);

/// An element with UN of defined length whose value is whole items: a sequence that only a reader finds who
/// looks (PS3.5 §6.2.2, CP-246).
void put_hidden(
    DcmItem& data_set, const DcmTag& tag, DcmItem& item, E_TransferSyntax inside, E_EncodingType lengths);

/// Turns the UN element of defined length with this tag into one of undefined length, in the bytes of an
/// explicit VR little endian file.
void undefine_length(std::string& bytes, const DcmTagKey& tag);

} // namespace studies
