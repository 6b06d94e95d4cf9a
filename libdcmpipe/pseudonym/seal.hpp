#pragma once

#include "pseudonym/key.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace dcmpipe::pseudonym {

/// The restore key pair (X25519). The public half seals and stands in the map; the private half opens and
/// stays with the person who may see identities.
struct RestoreKey {
    std::array<std::uint8_t, 32> public_half;
    std::array<std::uint8_t, 32> private_half;

    static RestoreKey generate();

    /// Reads the private half, as Key::from does.
    static RestoreKey from(const KeySource& source);
    void write_new(const std::filesystem::path& path, std::string_view passphrase = {}) const;
};

/// Seals values so that only the private half opens them again.
///
/// A run draws one random key, seals that to the public half, and encrypts every value under it
/// (XChaCha20-Poly1305): when the run ends the key is gone from this machine, and what it wrote stays
/// closed to it. May be used from one thread at a time.
class Sealer {
public:
    explicit Sealer(const std::array<std::uint8_t, 32>& public_half);
    Sealer(const Sealer&) = delete;
    Sealer& operator=(const Sealer&) = delete;
    ~Sealer();

    /// The run's key, sealed to the public half: stored once beside what it encrypts.
    const std::string& sealed_key() const noexcept { return sealed_key_; }

    /// `context` is bound to the value: it opens only where the same is given again.
    std::string seal(std::string_view value, std::string_view context) const;

private:
    std::array<std::uint8_t, 32> key_;
    std::string sealed_key_;
};

/// Opens what Sealer sealed. Any thread may use it.
class Opener {
public:
    /// Throws Error{Refused} where `sealed_key` was sealed to another key pair, or is damaged.
    Opener(std::string_view sealed_key, const RestoreKey& restore_key);
    Opener(const Opener&) = delete;
    Opener& operator=(const Opener&) = delete;
    ~Opener();

    /// Throws Error{Refused} where the value or its context was changed.
    std::string open(std::string_view sealed, std::string_view context) const;

private:
    friend std::string reseal(std::string_view, const RestoreKey&, const std::array<std::uint8_t, 32>&);

    std::array<std::uint8_t, 32> key_;
};

/// A run's sealed key, opened with the old private half and sealed to another public half. Throws as Opener.
std::string reseal(
    std::string_view sealed_key, const RestoreKey& old_key, const std::array<std::uint8_t, 32>& public_half);

} // namespace dcmpipe::pseudonym
