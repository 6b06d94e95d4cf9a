#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Cryptographic Message Syntax (RFC 5652) as PS3.15 §E.1.2 uses it, by OpenSSL.
namespace dcmpipe::deid {

/// How a sealed message is written. The default is what PS3.15 §E.1.1 names and every reader knows.
struct CmsForm {
    bool oaep = false; ///< RSA-OAEP instead of PKCS #1 v1.5
    bool gcm = false;  ///< AES-256-GCM (AuthEnvelopedData) instead of AES-256-CBC: shows tampering
    bool allow_expired = false;
};

/// The certificates of who may read. Immutable; any thread may use it.
class CmsRecipients {
public:
    /// Reads PEM or DER certificates. Throws Error{Usage}: unreadable, no RSA key, and Error{Refused}: an RSA
    /// key of less than 2048 bits, expired.
    CmsRecipients(const std::vector<std::filesystem::path>& certificates, const CmsForm& form);
    ~CmsRecipients();

    /// One message that each recipient can open: DER, ContentInfo.
    std::string seal(std::string_view plain) const;

private:
    struct Impl;
    std::unique_ptr<const Impl> impl_;
};

/// The private key of who may read, and the certificate it belongs to where there is one. Any thread may
/// use it.
class CmsKey {
public:
    /// Reads PEM or DER; `certificate` may be empty. Throws Error{Usage} where they cannot be read, or do not
    /// belong together; Error{Refused} where others can read the key file.
    CmsKey(const std::filesystem::path& key, const std::filesystem::path& certificate);
    ~CmsKey();

    /// Opens a message; bytes behind it (the padding of the element) are passed over. Throws Error{Refused}
    /// where this key is no recipient's, or the message was tampered with.
    std::string open(std::string_view sealed) const;

private:
    struct Impl;
    std::unique_ptr<const Impl> impl_;
};

} // namespace dcmpipe::deid
