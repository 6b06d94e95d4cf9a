#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

namespace dcmpipe::pseudonym {

/// Who a patient is in the input: an identifier and who issued it (PS3.3 §C.7.1.1). Values as text in UTF-8,
/// without padding.
struct PatientIdentity {
    std::string issuer; ///< Issuer of Patient ID (0010,0021); empty where there is none
    std::string id;     ///< Patient ID (0010,0020); never empty

    bool operator==(const PatientIdentity&) const = default;
};

/// How far the dates of a patient move into the past, in whole weeks.
struct ShiftRange {
    unsigned min_weeks = 52;
    unsigned max_weeks = 520;
};

/// Where a key is read from: a file, `fd:N` (an open descriptor) or `env:NAME` (an environment variable), and
/// the passphrase that it is kept under, if it is. A key is never an option's value.
struct KeySource {
    std::string where;
    std::string passphrase{};

    KeySource() = default;
    KeySource(std::string place) : where(std::move(place)) {}              // NOLINT: reads as a key's place
    KeySource(const std::filesystem::path& file) : where(file.string()) {} // NOLINT
    KeySource(std::string place, std::string words) : where(std::move(place)), passphrase(std::move(words)) {}
};

/// The project key: 256 random bits from which UIDs, keyed codes and date shifts follow, so that machines
/// that share it agree without talking. Whoever holds it can test guesses of an identity; it opens nothing
/// that is sealed. Immutable; any thread may use it. Its memory is wiped when it goes.
class Key {
public:
    using Token = std::array<std::uint8_t, 32>;

    static Key generate();

    /// Reads a key. Throws Error{Refused} where others than its owner can read the file, or the passphrase is
    /// wrong; Error{Usage} where it is missing or no project key.
    static Key from(const KeySource& source);

    explicit Key(const std::array<std::uint8_t, 32>& bits);
    Key(const Key&) = default;
    Key& operator=(const Key&) = delete;
    ~Key();

    /// Writes a key file, mode 0600, under a passphrase where one is given. Throws Error{Output} where `path`
    /// exists.
    void write_new(const std::filesystem::path& path, std::string_view passphrase = {}) const;

    /// First 8 hexadecimal digits of HMAC(key, "key-id"): tells keys apart and says nothing of them.
    std::string id() const;

    /// HMAC-SHA256 over length-prefixed inputs: no two lists of inputs share a message, and no two domains.
    Token token(std::string_view domain, std::initializer_list<std::string_view> inputs) const;

    /// The UID that stands for `original`: 2.25 and a name-based UUID (PS3.5 §B.2). UIDs that DICOM itself
    /// registers stay, and so does an empty one. Padding does not count.
    std::string uid(std::string_view original) const;

    /// 16 letters and digits (base 32, 80 bits) that stand for the patient.
    std::string patient_code(const PatientIdentity& patient) const;

    /// As patient_code(), for any text: the same text gives the same token.
    std::string text_token(std::string_view text) const;

    /// Days to take off each date of the patient: whole weeks, so that weekdays stay.
    int shift_days(const PatientIdentity& patient, const ShiftRange& range = {}) const;

    /// What the map finds the patient by.
    Token blind_index(const PatientIdentity& patient) const;

    /// As blind_index(), for a patient of whom only the name of their folder is known.
    Token folder_index(const PatientIdentity& patient) const;

private:
    std::array<std::uint8_t, 32> bits_;
    std::array<std::uint8_t, 208>
        keyed_; ///< state of an HMAC that has taken the key in: tokens start from it
};

/// The file beside the map that holds its project key: `link.key` for `link.db`.
std::filesystem::path default_key_file(const std::filesystem::path& map);

} // namespace dcmpipe::pseudonym
