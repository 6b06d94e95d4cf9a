#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

/// DCMTK's object tree with its conditions checked: whatever fails throws std::runtime_error.
namespace studies {

void check(const OFCondition& condition, std::string_view doing);

/// Text, several values joined by backslashes; bytes go in as they are.
void set(DcmItem& item, const DcmTag& tag, std::string_view value);
void set(DcmItem& item, const DcmTag& tag, std::uint16_t value);
void set(DcmItem& item, const DcmTag& tag, const std::vector<std::uint16_t>& values);
void set(DcmItem& item, const DcmTag& tag, const std::vector<float>& values);
/// OB, OW and UN: bytes as they are.
void set_bytes(DcmItem& item, const DcmTag& tag, std::string_view bytes);

/// A new item at the end of a sequence, which is made where it is missing.
DcmItem& add_item(DcmItem& item, const DcmTag& sequence);

/// A sequence with one code (PS3.3 §8).
DcmItem& add_code(
    DcmItem& item, const DcmTag& sequence, std::string_view value, std::string_view scheme,
    std::string_view meaning);

/// A sequence item that names an instance.
DcmItem& add_reference(
    DcmItem& item, const DcmTag& sequence, std::string_view sop_class_uid, std::string_view instance_uid);

/// The text of an attribute at top level; empty where it is absent.
std::string text_of(DcmItem& item, const DcmTagKey& tag);

} // namespace studies
