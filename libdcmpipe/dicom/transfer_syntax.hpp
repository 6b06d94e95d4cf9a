#pragma once

#include <string_view>

namespace dcmpipe::dicom {

/// How the elements of a data set are written (PS3.5 §7, §A).
struct Encoding {
    bool explicit_vr = true;
    bool big_endian = false;

    constexpr bool operator==(const Encoding&) const = default;
};

inline constexpr Encoding ImplicitLittleEndian{false, false};
inline constexpr Encoding ExplicitLittleEndian{true, false};
inline constexpr Encoding ExplicitBigEndian{true, true};

namespace transfer_syntax {

inline constexpr std::string_view ImplicitVRLittleEndian = "1.2.840.10008.1.2";
inline constexpr std::string_view ExplicitVRLittleEndian = "1.2.840.10008.1.2.1";
inline constexpr std::string_view DeflatedExplicitVRLittleEndian = "1.2.840.10008.1.2.1.99";
inline constexpr std::string_view ExplicitVRBigEndian = "1.2.840.10008.1.2.2";
inline constexpr std::string_view JpipReferencedDeflate = "1.2.840.10008.1.2.4.95";
inline constexpr std::string_view JpipHtj2kReferencedDeflate = "1.2.840.10008.1.2.4.205";
/// GE's private syntax: implicit VR little endian, but pixel data in big endian.
inline constexpr std::string_view GePrivateImplicit = "1.2.840.113619.5.2";
/// Papyrus 3, retired.
inline constexpr std::string_view Papyrus3 = "1.2.840.10008.1.20";

/// Every syntax without rules of its own, known or not, is explicit VR little endian (PS3.5 §A.4).
constexpr Encoding encoding_of(std::string_view uid)
{
    if (uid == ImplicitVRLittleEndian || uid == GePrivateImplicit || uid == Papyrus3) {
        return ImplicitLittleEndian;
    }
    return uid == ExplicitVRBigEndian ? ExplicitBigEndian : ExplicitLittleEndian;
}

/// The data set, after the file meta information, is compressed as a whole (PS3.5 §A.5).
constexpr bool is_deflated(std::string_view uid)
{
    return uid == DeflatedExplicitVRLittleEndian || uid == JpipReferencedDeflate ||
           uid == JpipHtj2kReferencedDeflate;
}

} // namespace transfer_syntax

} // namespace dcmpipe::dicom
