#include "pseudonym/key_file.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/output_file.hpp"

#include <charconv>
#include <cstdlib>

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe::pseudonym {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t salt_size = crypto_pwhash_SALTBYTES;
constexpr std::size_t nonce_size = crypto_secretbox_NONCEBYTES;
constexpr std::size_t sealed_size = salt_size + nonce_size + crypto_secretbox_MACBYTES + key_size;
constexpr std::string_view under_passphrase = "-under-passphrase";

std::uint8_t* bytes_of(std::string& text)
{
    return reinterpret_cast<std::uint8_t*>(text.data());
}

const std::uint8_t* bytes_of(std::string_view text)
{
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

class KeyText {
public:
    KeyText(std::string_view kind, const KeySource& source)
        : doing_(fmt::format("cannot read the {}", kind)), source_(source), text_(read())
    {
    }

    /// The bytes behind `name: `; empty where the text has no such line, or another number of digits.
    std::string bytes(std::string_view name, std::size_t size) const
    {
        const auto line = fmt::format("\n{}: ", name);
        const auto whole = "\n" + text_;
        const auto start = whole.find(line);
        if (start == std::string::npos) {
            return {};
        }
        const auto digits = std::string_view{whole}.substr(start + line.size());
        std::string bytes(size, '\0');
        std::size_t count = 0;
        const bool good = ::sodium_hex2bin(
                              bytes_of(bytes), bytes.size(), digits.data(), std::min(digits.size(), 2 * size),
                              nullptr, &count, nullptr) == 0;
        return good && count == size ? bytes : std::string{};
    }

    [[noreturn]] void fail(ErrorKind kind, std::string_view reason) const
    {
        throw Error{kind, doing_, source_.where, reason};
    }

private:
    std::string read() const
    {
        const std::string_view where = source_.where;
        if (where.starts_with("env:")) {
            const char* const value = std::getenv(source_.where.c_str() + 4); // NOLINT(concurrency-mt-unsafe)
            return value != nullptr ? value : (fail(ErrorKind::Usage, "no such environment variable"), "");
        }
        if (where.starts_with("fd:")) {
            return read_descriptor(where.substr(3));
        }
        struct stat status {};
        if (::stat(source_.where.c_str(), &status) != 0) {
            throw Error::from_errno(ErrorKind::Usage, doing_, where);
        }
        if ((status.st_mode & 077U) != 0) {
            fail(ErrorKind::Refused, "others can read it: chmod 600 it, and consider it known");
        }
        return read_text_file(source_.where);
    }

    std::string read_descriptor(std::string_view number) const
    {
        int fd = -1;
        std::from_chars(number.data(), number.data() + number.size(), fd);
        std::string text(4096, '\0');
        const auto got = ::read(fd, text.data(), text.size());
        if (got <= 0) {
            fail(ErrorKind::Usage, "nothing can be read from this descriptor");
        }
        text.resize(static_cast<std::size_t>(got));
        return text;
    }

    std::string doing_;
    const KeySource& source_;
    std::string text_;
};

/// Argon2id: what a passphrase and a salt give.
std::string stretched(std::string_view passphrase, std::string_view salt)
{
    std::string key(crypto_secretbox_KEYBYTES, '\0');
    if (::crypto_pwhash(
            bytes_of(key), key.size(), passphrase.data(), passphrase.size(), bytes_of(salt),
            crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
            crypto_pwhash_ALG_ARGON2ID13) != 0) {
        throw Error{ErrorKind::Internal, "not enough memory for the passphrase"};
    }
    return key;
}

std::string sealed_under(std::string_view passphrase, std::string_view bits)
{
    std::string sealed(sealed_size, '\0');
    ::randombytes_buf(sealed.data(), salt_size + nonce_size);
    const auto salt = std::string_view{sealed}.substr(0, salt_size);
    ::crypto_secretbox_easy(
        bytes_of(sealed) + salt_size + nonce_size, bytes_of(bits), bits.size(), bytes_of(sealed) + salt_size,
        bytes_of(std::string_view{stretched(passphrase, salt)}));
    return sealed;
}

std::string opened_under(std::string_view passphrase, std::string_view sealed)
{
    std::string bits(key_size, '\0');
    const auto box = sealed.substr(salt_size + nonce_size);
    const bool good =
        ::crypto_secretbox_open_easy(
            bytes_of(bits), bytes_of(box), box.size(), bytes_of(sealed.substr(salt_size)),
            bytes_of(std::string_view{stretched(passphrase, sealed.substr(0, salt_size))})) == 0;
    return good ? bits : std::string{};
}

std::string hexadecimal(std::string_view bits)
{
    std::string digits(bits.size() * 2 + 1, '\0');
    ::sodium_bin2hex(digits.data(), digits.size(), bytes_of(bits), bits.size());
    digits.pop_back();
    return digits;
}

} // namespace

std::string read_key(std::string_view kind, const KeySource& source)
{
    const KeyText text{kind, source};
    if (auto bits = text.bytes(kind, key_size); !bits.empty()) {
        return bits;
    }
    const auto sealed = text.bytes(fmt::format("{}{}", kind, under_passphrase), sealed_size);
    if (sealed.empty()) {
        text.fail(ErrorKind::Usage, fmt::format("it holds no {}", kind));
    }
    if (source.passphrase.empty()) {
        text.fail(ErrorKind::Usage, "it is kept under a passphrase (--passphrase-file, DPIPE_PASSPHRASE)");
    }
    auto bits = opened_under(source.passphrase, sealed);
    if (bits.empty()) {
        text.fail(ErrorKind::Refused, "the passphrase is wrong, or the key was tampered with");
    }
    return bits;
}

void write_key(
    std::string_view kind, std::string_view comment, std::string_view bits, const fs::path& path,
    std::string_view passphrase)
{
    OutputFile file{path, 0600};
    const auto text = passphrase.empty() ? fmt::format("# {}\n{}: {}\n", comment, kind, hexadecimal(bits))
                                         : fmt::format(
                                               "# {}\n{}{}: {}\n", comment, kind, under_passphrase,
                                               hexadecimal(sealed_under(passphrase, bits)));
    file.write(text);
    if (!file.publish(Existing::Keep)) {
        throw Error{ErrorKind::Output, "cannot write the key", path.string(), "the file exists"};
    }
}

} // namespace dcmpipe::pseudonym
