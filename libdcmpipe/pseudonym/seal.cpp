#include "pseudonym/seal.hpp"

#include "core/error.hpp"
#include "pseudonym/key_file.hpp"

#include <algorithm>

#include <sodium.h>

namespace dcmpipe::pseudonym {

namespace {

constexpr std::string_view kind_of_restore_key = "restore-key";
constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_box_PUBLICKEYBYTES == 32 && crypto_box_SECRETKEYBYTES == 32);
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);

const std::uint8_t* in(std::string_view bytes)
{
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

std::uint8_t* out(std::string& bytes)
{
    return reinterpret_cast<std::uint8_t*>(bytes.data());
}

std::string seal_key(const std::array<std::uint8_t, 32>& key, const std::array<std::uint8_t, 32>& public_half)
{
    std::string sealed(key.size() + crypto_box_SEALBYTES, '\0');
    if (::crypto_box_seal(out(sealed), key.data(), key.size(), public_half.data()) != 0) {
        throw Error{ErrorKind::Internal, "cannot seal to the restore key"};
    }
    return sealed;
}

} // namespace

RestoreKey RestoreKey::generate()
{
    RestoreKey pair;
    ::crypto_box_keypair(pair.public_half.data(), pair.private_half.data());
    return pair;
}

RestoreKey RestoreKey::from(const KeySource& source)
{
    const auto bits = read_key(kind_of_restore_key, source);
    RestoreKey pair;
    std::copy_n(bits.begin(), pair.private_half.size(), pair.private_half.begin());
    ::crypto_scalarmult_base(pair.public_half.data(), pair.private_half.data());
    return pair;
}

void RestoreKey::write_new(const std::filesystem::path& path, std::string_view passphrase) const
{
    write_key(
        kind_of_restore_key, "dcmpipe restore key: whoever holds it and the map can name every patient.",
        {reinterpret_cast<const char*>(private_half.data()), private_half.size()}, path, passphrase);
}

Sealer::Sealer(const std::array<std::uint8_t, 32>& public_half)
{
    ::crypto_aead_xchacha20poly1305_ietf_keygen(key_.data());
    sealed_key_ = seal_key(key_, public_half);
}

Sealer::~Sealer()
{
    ::sodium_memzero(key_.data(), key_.size());
}

std::string Sealer::seal(std::string_view value, std::string_view context) const
{
    std::string sealed(nonce_size + value.size() + tag_size, '\0');
    ::randombytes_buf(sealed.data(), nonce_size);
    ::crypto_aead_xchacha20poly1305_ietf_encrypt(
        out(sealed) + nonce_size, nullptr, in(value), value.size(), in(context), context.size(), nullptr,
        in(sealed), key_.data());
    return sealed;
}

Opener::Opener(std::string_view sealed_key, const RestoreKey& restore_key)
{
    if (sealed_key.size() != key_.size() + crypto_box_SEALBYTES ||
        ::crypto_box_seal_open(
            key_.data(), in(sealed_key), sealed_key.size(), restore_key.public_half.data(),
            restore_key.private_half.data()) != 0) {
        throw Error{ErrorKind::Refused, "the restore key does not fit this map"};
    }
}

Opener::~Opener()
{
    ::sodium_memzero(key_.data(), key_.size());
}

std::string reseal(
    std::string_view sealed_key, const RestoreKey& old_key, const std::array<std::uint8_t, 32>& public_half)
{
    const Opener opener{sealed_key, old_key};
    return seal_key(opener.key_, public_half);
}

std::string Opener::open(std::string_view sealed, std::string_view context) const
{
    if (sealed.size() >= nonce_size + tag_size) {
        std::string value(sealed.size() - nonce_size - tag_size, '\0');
        if (::crypto_aead_xchacha20poly1305_ietf_decrypt(
                out(value), nullptr, nullptr, in(sealed) + nonce_size, sealed.size() - nonce_size,
                in(context), context.size(), in(sealed), key_.data()) == 0) {
            return value;
        }
    }
    throw Error{ErrorKind::Refused, "a row of the map was tampered with"};
}

} // namespace dcmpipe::pseudonym
