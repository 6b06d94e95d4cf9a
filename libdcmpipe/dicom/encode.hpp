#pragma once

#include "dicom/tag.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/vr.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Elements as bytes (PS3.5 §7.1). All functions are pure.
namespace dcmpipe::dicom {

/// True where `bytes` are the value, padded to even length as its VR wants it.
bool is_padded(Vr vr, std::string_view value, std::string_view bytes);

/// Header and value. `value` is in the byte order of `encoding` and is padded here. A value too long for a
/// VR with a 16-bit length is written as UN (PS3.5 §6.2.2 note 1).
std::string encode_element(Tag tag, Vr vr, std::string_view value, Encoding encoding);

/// The header alone, for a value of `length` bytes.
std::string encode_header(Tag tag, Vr vr, std::uint64_t length, Encoding encoding);

/// An item of defined length around encoded elements.
std::string encode_item(std::string_view elements, Encoding encoding);

std::string encode_u16(std::uint16_t value, bool big_endian = false);
std::string encode_u32(std::uint32_t value, bool big_endian = false);

/// What the file meta information of a new file says (PS3.10 §7.1).
struct FileMeta {
    std::string sop_class_uid;
    std::string instance_uid;
    std::string transfer_syntax;
    std::string source_aet;    ///< (0002,0016); left out where empty
    std::string sending_aet;   ///< (0002,0017); left out where empty
    std::string receiving_aet; ///< (0002,0018); left out where empty
};

/// A preamble of zeros, `DICM`, and the file meta information with our implementation's name.
std::string encode_file_meta(const FileMeta& meta);

} // namespace dcmpipe::dicom
