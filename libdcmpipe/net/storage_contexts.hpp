#pragma once

#include "net/association.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What a Storage SCP agrees to. All functions are pure.
namespace dcmpipe::net {

/// True for the SOP classes of storage: those of the standard, also of later editions than we know, and
/// every private one. False for the other services of the standard.
bool is_storage_class(std::string_view sop_class_uid) noexcept;

/// What a Storage SCP takes. An empty list takes everything.
struct StoragePolicy {
    bool may_store = true; ///< else verification is all that is left
    std::vector<std::string> classes{};
    std::vector<std::string> syntaxes{};

    bool takes_class(std::string_view sop_class_uid) const;
    bool takes_syntax(std::string_view transfer_syntax) const;
};

/// A UID from itself or its name in PS3.6, `CTImageStorage`. Throws Error{Usage}.
std::string uid_from(std::string_view uid_or_name);

/// What a Storage SCP says of itself where a peer speaks of it (PS3.4 §B.3.1.1): every attribute is kept, the
/// bytes as they came, and nothing is coerced. Empty for what is no class of storage.
std::string storage_information(std::string_view sop_class_uid);

/// The transfer syntax that a Storage, Storage Commitment and Verification SCP accepts: whatever the peer put
/// first, known or not, but explicit VR little endian rather than an uncompressed one that keeps less. Empty
/// for what is none of these services, and for a peer that would be the SCP.
std::string choose_storage_syntax(const ProposedContext& proposed, const StoragePolicy& policy = {});

} // namespace dcmpipe::net
