#pragma once

#include "pseudonym/key.hpp"

#include <filesystem>
#include <string>
#include <string_view>

/// A key as text: a comment that says what it is, then `kind: hexadecimal digits`; or, under a passphrase
/// (Argon2id, XSalsa20-Poly1305), `kind-under-passphrase: hexadecimal digits`.
namespace dcmpipe::pseudonym {

/// The 32 bytes of a key. Throws as Key::from does.
std::string read_key(std::string_view kind, const KeySource& source);

/// Writes a key file, mode 0600, never over another.
void write_key(
    std::string_view kind, std::string_view comment, std::string_view bits, const std::filesystem::path& path,
    std::string_view passphrase);

} // namespace dcmpipe::pseudonym
