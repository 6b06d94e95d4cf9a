#pragma once

#include <span>
#include <string_view>

namespace dcmpipe::archive {

/// A Media Storage Application Profile (PS3.11): what may be on the media, and what its directory tells.
struct MediaProfile {
    std::string_view name;                        ///< as PS3.11 calls it; empty: none
    std::span<const std::string_view> syntaxes{}; ///< transfer syntaxes that are allowed; empty: all
    bool more_keys = false;                       ///< in the records of patients, series and images

    bool allows(std::string_view transfer_syntax) const;
};

/// The General Purpose profiles that need no icon images and no video (PS3.11 §D, §H, §J).
std::span<const MediaProfile> media_profiles();

/// Any transfer syntax, the keys of PS3.11 §D.
extern const MediaProfile no_media_profile;

} // namespace dcmpipe::archive
