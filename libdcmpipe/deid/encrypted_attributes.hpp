#pragma once

#include "deid/cms.hpp"
#include "dicom/instance.hpp"
#include "pseudonym/key.hpp"
#include "pseudonym/originals.hpp"

#include <map>
#include <optional>
#include <string>

/// Encrypted Attributes Sequence (0400,0500) (PS3.15 §E.1.2, PS3.3 §C.12.1.1.4): what de-identification took
/// travels with the instance, sealed to certificates.
namespace dcmpipe::deid {

/// The items of (0400,0500) for an instance: a new one first, then those that stood there, so that an earlier
/// layer still opens. `elements` are what was taken, encoded as the instance is; bulk data among them is left
/// out. The result is encoded as the instance is.
std::string encrypted_items(
    const dicom::Instance& instance, const std::map<dicom::Tag, std::string>& elements,
    const CmsRecipients& recipients);

/// What the newest item that `key` opens holds, encoded as the instance is. Nothing where the instance has no
/// (0400,0500). Throws Error{Refused} where the key opens none of its items, or what it opens is no Modified
/// Attributes Sequence: one with exactly one item; and, where `project_key` is given, where the newest item
/// was sealed for another instance.
std::optional<pseudonym::RecalledOriginals> decrypted_originals(
    const dicom::Instance& instance, const CmsKey& key, const pseudonym::Key* project_key = nullptr);

} // namespace dcmpipe::deid
