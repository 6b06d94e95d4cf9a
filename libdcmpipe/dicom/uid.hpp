#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

/// Unique Identifiers (PS3.5 §9). All functions are pure.
namespace dcmpipe::dicom::uid {

/// The value without the NUL or space that pads it.
std::string_view trimmed(std::string_view value) noexcept;

/// 1 to 64 characters, digits and dots only, no empty component. A component with a leading zero is let
/// pass: too many devices write them.
bool is_valid(std::string_view uid) noexcept;

/// A UID that DICOM itself registers (1.2.840.10008...): classes, syntaxes, coding schemes, well-known
/// instances. It identifies no patient and is never replaced.
bool is_well_known(std::string_view uid) noexcept;

/// `2.25.` and the UUID as one decimal number (PS3.5 §B.2).
std::string from_uuid(const std::array<std::uint8_t, 16>& uuid);

inline constexpr std::string_view MediaStorageDirectoryStorage = "1.2.840.10008.1.3.10";
inline constexpr std::string_view Verification = "1.2.840.10008.1.1";
inline constexpr std::string_view PatientRootMove = "1.2.840.10008.5.1.4.1.2.1.2";
inline constexpr std::string_view StudyRootFind = "1.2.840.10008.5.1.4.1.2.2.1";
inline constexpr std::string_view StudyRootMove = "1.2.840.10008.5.1.4.1.2.2.2";
inline constexpr std::string_view StudyRootGet = "1.2.840.10008.5.1.4.1.2.2.3";

/// dcmpipe's own (0002,0012) Implementation Class UID; uuid5(URL, "urn:dcmpipe:implementation").
inline constexpr std::string_view Implementation = "2.25.245497907433291250824473199530763443599";
/// (0002,0013) Implementation Version Name, 16 characters at most.
inline constexpr std::string_view ImplementationVersionName = "DCMPIPE_0_1";

} // namespace dcmpipe::dicom::uid
