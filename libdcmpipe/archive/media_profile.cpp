#include "archive/media_profile.hpp"

#include "dicom/transfer_syntax.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::archive {

namespace {

using dicom::transfer_syntax::ExplicitVRLittleEndian;

constexpr std::array plain{ExplicitVRLittleEndian};
constexpr std::array<std::string_view, 4> jpeg{
    ExplicitVRLittleEndian, "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.70"};
constexpr std::array<std::string_view, 3> jpeg2000{
    ExplicitVRLittleEndian, "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"};

constexpr std::array all{
    MediaProfile{"STD-GEN-CD", plain},
    MediaProfile{"STD-GEN-DVD-JPEG", jpeg, true},
    MediaProfile{"STD-GEN-DVD-J2K", jpeg2000, true},
    MediaProfile{"STD-GEN-USB-JPEG", jpeg, true},
    MediaProfile{"STD-GEN-USB-J2K", jpeg2000, true},
};

} // namespace

constexpr MediaProfile no_media_profile{""};

bool MediaProfile::allows(std::string_view transfer_syntax) const
{
    return syntaxes.empty() || std::find(syntaxes.begin(), syntaxes.end(), transfer_syntax) != syntaxes.end();
}

std::span<const MediaProfile> media_profiles()
{
    return all;
}

} // namespace dcmpipe::archive
