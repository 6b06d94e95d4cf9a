#pragma once

#include "pseudonym/key.hpp"
#include "pseudonym/originals.hpp"
#include "pseudonym/seal.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::pseudonym {

/// How a new patient's code is made. A code once given stays.
struct CodeForm {
    enum class Kind { Sequential, Keyed };
    Kind kind = Kind::Sequential;
    std::string prefix = "sub-";
    unsigned digits = 3; ///< of a sequential number, at least; it grows as needed
};

/// What a patient gets who is new to the map.
struct NewPatient {
    CodeForm form;
    std::optional<std::string> code; ///< given by a table, instead of the form
    ShiftRange range;
    std::optional<int> shift_days; ///< given by a table, instead of the key's shift within the range
    std::string particulars;       ///< who they are, as JSON: sealed beside the row
};

/// A patient as the map knows them.
struct Patient {
    std::int64_t number = 0;
    std::string code;
    int shift_days = 0; ///< taken off each date
};

/// A patient with what is sealed of them, opened.
struct KnownPatient {
    Patient patient;
    std::string particulars; ///< who they are, as JSON
};

/// A study of the output with what its first instance was.
struct KnownStudy {
    std::string uid; ///< of the output
    std::string code;
    RecalledOriginals originals;
};

/// A patient who comes from another system, with the code they had there.
struct ImportedPatient {
    PatientIdentity identity;
    std::string code;
    std::optional<int> shift_days;
    std::string particulars;
    /// The id is what PACSIFIER made of it for a folder (dicom::pacsifier_name): the first patient whose id
    /// gives that name is this one.
    bool by_folder = false;
};

/// What an import did.
struct ImportCounts {
    std::size_t added = 0;   ///< new patients
    std::size_t known = 0;   ///< known with this code already
    std::size_t aliases = 0; ///< known under another code: this one leads to them as well
};

/// The link map: one SQLite file that many processes on one machine may use at once (WAL).
///
/// It holds blind indexes (HMAC under the project key), codes, shifts and sealed values; no original value
/// stands in it in clear. A damaged map stops everything; it is never made anew. Any thread may use it.
class Map {
public:
    /// Makes a map for this key, mode 0600. Throws Error{Output} where `path` exists.
    static void create(const std::filesystem::path& path, const Key& key, const RestoreKey& restore_key);

    /// Throws Error{Usage}: missing, not a map, made for another key; Error{Input}: damaged; Error{Refused}:
    /// on a network file system, whose locks cannot be trusted.
    static Map open(const std::filesystem::path& path, const Key& key);

    Map(Map&&) noexcept;
    Map& operator=(Map&&) = delete;
    ~Map();

    /// The patient's row, made in one transaction where there is none: codes are sequential without gaps,
    /// whoever asks at the same time. Throws Error{Refused} where a table gives a code that another patient
    /// has, or the patient has another one already.
    Patient patient(const PatientIdentity& identity, const NewPatient& if_new);

    /// The patient's row, or nothing.
    std::optional<Patient> find(const PatientIdentity& identity) const;

    /// Takes patients over, all or none. Who is known keeps their code; the other becomes an alias. Throws
    /// Error{Refused} where a code stands for somebody else.
    ImportCounts import(const std::vector<ImportedPatient>& patients);

    /// True for the SOP Instance UID of an output that this map knows the originals of.
    bool knows(std::string_view instance_uid) const;

    /// Stores what instances were, all in one transaction; what is stored already is left alone.
    void remember(const std::vector<Originals>& instances);

    // What follows opens sealed values. Each throws Error{Refused} for a restore key that does not fit, or a
    // row that was tampered with.

    /// What the instance with this SOP Instance UID (of the de-identified output) was; of several inputs with
    /// one UID the newest. Nothing where the map does not know it.
    std::optional<RecalledOriginals> recall(
        std::string_view instance_uid, const RestoreKey& restore_key) const;

    /// What the first instance of the study with this UID (of the output) was.
    std::optional<RecalledOriginals> recall_study(
        std::string_view study_uid, const RestoreKey& restore_key) const;

    /// As recall_study(), of a series.
    std::optional<RecalledOriginals> recall_series(
        std::string_view series_uid, const RestoreKey& restore_key) const;

    /// The patient with this code, or with an alias of it.
    std::optional<KnownPatient> find_code(std::string_view code, const RestoreKey& restore_key) const;

    /// All patients, in the order they came.
    std::vector<KnownPatient> patients(const RestoreKey& restore_key) const;

    /// All studies, in the order they came.
    std::vector<KnownStudy> studies(const RestoreKey& restore_key) const;

    // Upkeep.

    /// Codes in the order they were given, without opening anything.
    std::vector<Patient> codes() const;

    /// What is wrong with the file and its rows, a line each; with the restore key, also each sealed value
    /// that does not open or stands somewhere in clear.
    std::vector<std::string> check(const RestoreKey* restore_key) const;

    /// A text that is kept beside the rows, under a name; empty where there is none. It is not sealed:
    /// nothing in it may name anybody. Throws Error{Refused} where another than this restore key wrote it;
    /// without a key it is believed.
    std::string note(const std::string& name, const RestoreKey* restore_key) const;
    void set_note(const std::string& name, std::string_view text, const RestoreKey& restore_key);

    /// A whole copy, durable under `copy`, while others go on. Throws Error{Output} where `copy` exists.
    void backup(const std::filesystem::path& copy) const;

    /// Seals all keys of runs to another restore key, and the notes by it: the old one opens nothing any
    /// more.
    void rekey(const RestoreKey& old_key, const RestoreKey& new_key);

    const Key& key() const noexcept;
    const std::string& key_id() const noexcept;
    const std::filesystem::path& path() const noexcept;

private:
    struct Impl;
    explicit Map(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::pseudonym
