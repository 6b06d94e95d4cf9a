#include "pseudonym/key.hpp"

#include "core/error.hpp"
#include "dicom/layout.hpp"
#include "dicom/uid.hpp"
#include "pseudonym/key_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <openssl/evp.h>
#include <sodium.h>

#include <fmt/format.h>

namespace dcmpipe::pseudonym {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kind_of_project_key = "project-key";
/// uuid5(URL, "urn:dcmpipe:uid-namespace:1")
constexpr std::array<std::uint8_t, 16> uid_namespace{0x58, 0xb9, 0xd0, 0x4f, 0x8c, 0x11, 0x50, 0x0c,
                                                     0xb2, 0x87, 0x7a, 0x36, 0x07, 0xd0, 0x30, 0xa6};

void start_sodium()
{
    static const bool started = ::sodium_init() >= 0;
    if (!started) {
        throw Error{ErrorKind::Internal, "cannot start libsodium"};
    }
}

const std::uint8_t* bytes_of(std::string_view text)
{
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

class Hmac {
public:
    using State = std::array<std::uint8_t, sizeof(crypto_auth_hmacsha256_state)>;

    explicit Hmac(const State& keyed) { std::memcpy(&state_, keyed.data(), keyed.size()); }
    static State keyed(const std::array<std::uint8_t, 32>& key)
    {
        crypto_auth_hmacsha256_state state;
        ::crypto_auth_hmacsha256_init(&state, key.data(), key.size());
        const auto bytes = std::bit_cast<State>(state);
        ::sodium_memzero(&state, sizeof state);
        return bytes;
    }
    void add(std::string_view bytes)
    {
        ::crypto_auth_hmacsha256_update(&state_, bytes_of(bytes), bytes.size());
    }
    void add_with_length(std::string_view bytes)
    {
        const auto size = static_cast<std::uint32_t>(bytes.size());
        const char prefix[]{
            static_cast<char>(size >> 24U), static_cast<char>(size >> 16U), static_cast<char>(size >> 8U),
            static_cast<char>(size)};
        add({prefix, sizeof prefix});
        add(bytes);
    }
    Key::Token finish()
    {
        Key::Token token;
        ::crypto_auth_hmacsha256_final(&state_, token.data());
        return token;
    }

private:
    crypto_auth_hmacsha256_state state_;
};

/// RFC 9562 §5.5: SHA-1 over name space and name.
std::array<std::uint8_t, 16> uuid5(const Key::Token& name)
{
    std::array<std::uint8_t, uid_namespace.size() + sizeof(Key::Token)> input;
    std::copy(name.begin(), name.end(), std::copy(uid_namespace.begin(), uid_namespace.end(), input.begin()));
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
    if (::EVP_Digest(input.data(), input.size(), digest.data(), nullptr, ::EVP_sha1(), nullptr) != 1) {
        throw Error{ErrorKind::Internal, "cannot compute SHA-1"};
    }
    std::array<std::uint8_t, 16> uuid;
    std::copy_n(digest.begin(), uuid.size(), uuid.begin());
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0fU) | 0x50U);
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3fU) | 0x80U);
    return uuid;
}

/// RFC 4648 §6 of the first 80 bits.
std::string base32(const Key::Token& token)
{
    static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string text;
    unsigned bits = 0;
    unsigned count = 0;
    for (std::size_t i = 0; i < 10; ++i) {
        bits = bits << 8U | token[i];
        for (count += 8; count >= 5; count -= 5) {
            text += letters[bits >> (count - 5) & 31U];
        }
    }
    return text;
}

} // namespace

Key Key::generate()
{
    start_sodium();
    std::array<std::uint8_t, 32> bits;
    ::randombytes_buf(bits.data(), bits.size());
    return Key{bits};
}

Key Key::from(const KeySource& source)
{
    start_sodium();
    const auto text = read_key(kind_of_project_key, source);
    std::array<std::uint8_t, 32> bits;
    std::copy_n(text.begin(), bits.size(), bits.begin());
    return Key{bits};
}

Key::Key(const std::array<std::uint8_t, 32>& bits) : bits_(bits), keyed_(Hmac::keyed(bits)) {}

Key::~Key()
{
    ::sodium_memzero(bits_.data(), bits_.size());
    ::sodium_memzero(keyed_.data(), keyed_.size());
}

void Key::write_new(const fs::path& path, std::string_view passphrase) const
{
    write_key(
        kind_of_project_key,
        fmt::format(
            "dcmpipe project key {}: pseudonyms follow from it. Keep it from who gets the data.", id()),
        {reinterpret_cast<const char*>(bits_.data()), bits_.size()}, path, passphrase);
}

std::string Key::id() const
{
    Hmac hmac{keyed_};
    hmac.add("key-id");
    const auto token = hmac.finish();
    return fmt::format("{:02x}{:02x}{:02x}{:02x}", token[0], token[1], token[2], token[3]);
}

Key::Token Key::token(std::string_view domain, std::initializer_list<std::string_view> inputs) const
{
    Hmac hmac{keyed_};
    hmac.add_with_length("dcmpipe-deid/1");
    hmac.add_with_length(domain);
    for (const auto input : inputs) {
        hmac.add_with_length(input);
    }
    return hmac.finish();
}

std::string Key::uid(std::string_view original) const
{
    const auto trimmed = dicom::uid::trimmed(original);
    if (trimmed.empty() || dicom::uid::is_well_known(trimmed)) {
        return std::string{trimmed};
    }
    return dicom::uid::from_uuid(uuid5(token("uid", {trimmed})));
}

std::string Key::patient_code(const PatientIdentity& patient) const
{
    return base32(token("patient", {patient.issuer, patient.id}));
}

std::string Key::text_token(std::string_view text) const
{
    return base32(token("text", {text}));
}

int Key::shift_days(const PatientIdentity& patient, const ShiftRange& range) const
{
    const auto bits = token("date", {patient.issuer, patient.id});
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        number = number << 8U | bits[i];
    }
    const auto weeks = range.min_weeks + number % (range.max_weeks - range.min_weeks + 1);
    return static_cast<int>(weeks * 7);
}

Key::Token Key::blind_index(const PatientIdentity& patient) const
{
    return token("blind", {patient.issuer, patient.id});
}

Key::Token Key::folder_index(const PatientIdentity& patient) const
{
    return token("folder", {patient.issuer, dicom::pacsifier_name(patient.id)});
}

fs::path default_key_file(const fs::path& map)
{
    return fs::path{map}.replace_extension(".key");
}

} // namespace dcmpipe::pseudonym
