#pragma once

#include "net/association.hpp"

#include <string>
#include <string_view>

/// What a Storage SCP agrees to. All functions are pure.
namespace dcmpipe::net {

/// True for the SOP classes of storage: those of the standard, also of later editions than we know, and
/// every private one. False for the other services of the standard.
bool is_storage_class(std::string_view sop_class_uid) noexcept;

/// The transfer syntax that a Storage and Verification SCP accepts: whatever the peer put first, known or
/// not, but explicit VR little endian rather than an uncompressed one that keeps less. Empty for what is
/// neither storage nor verification.
std::string choose_storage_syntax(const ProposedContext& proposed);

} // namespace dcmpipe::net
