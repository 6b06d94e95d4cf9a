#pragma once

#include "core/error.hpp"
#include "pseudonym/map.hpp"

#include <array>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>

// What the sources of the map share; nobody else includes it.

namespace dcmpipe::pseudonym {

/// SQLite's failures in our words. A damaged map must stop the work, whatever was about to happen.
[[noreturn]] void rethrow(const SQLite::Exception& error, const std::filesystem::path& path);

/// Runs `work` with SQLite's exceptions leaving as Error.
template <class Work>
auto guarded(const std::filesystem::path& path, Work work)
{
    try {
        return work();
    } catch (const SQLite::Exception& error) {
        rethrow(error, path);
    }
}

inline std::string_view text_of(const Key::Token& token)
{
    return {reinterpret_cast<const char*>(token.data()), token.size()};
}

inline void bind_blob(SQLite::Statement& statement, int place, std::string_view bytes)
{
    statement.bind(place, bytes.data(), static_cast<int>(bytes.size()));
}

inline std::string blob(const SQLite::Column& column)
{
    return {static_cast<const char*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
}

std::string meta(const SQLite::Database& database, const char* name);

/// What binds a sealed value to its row: the same bytes in another row do not open.
std::string context_of_patient(std::int64_t number);
std::string context_of_originals(std::string_view instance, std::optional<std::int64_t> base);

/// What an instance had, held in memory as the base of its sisters while a run lasts.
struct Base {
    std::string level; ///< the series, study or patient it stands for
    std::int64_t row = 0;
    TakenElements elements;
};

/// The bases last used. Few are enough: instances of a series come together.
class Bases {
public:
    std::shared_ptr<const Base> find(const std::string& level);
    void add(std::string level, std::int64_t row, const TakenElements& elements);

private:
    static constexpr std::size_t most = 48;
    std::list<std::shared_ptr<const Base>> bases_;
};

struct Map::Impl {
    /// A statement of the map, prepared once and for ever; free of values and of locks again when this goes.
    /// One user at a time. `sql` must be a literal.
    class Prepared {
    public:
        Prepared(const Impl& map, const char* sql)
            : statement_(map.statements.try_emplace(sql, map.database, sql).first->second)
        {
        }
        Prepared(const Prepared&) = delete;
        Prepared& operator=(const Prepared&) = delete;
        ~Prepared()
        {
            // What went wrong with a step was thrown there; here it would only be said again.
            statement_.tryReset();
            statement_.clearBindings();
        }

        SQLite::Statement& operator*() const { return statement_; }
        SQLite::Statement* operator->() const { return &statement_; }

    private:
        SQLite::Statement& statement_;
    };

    std::mutex mutex; ///< one connection, one transaction at a time
    std::filesystem::path path;
    Key key;
    std::string key_id;
    SQLite::Database database;
    /// By their text, which is a literal: what a batch runs for each instance is prepared once.
    mutable std::map<const char*, SQLite::Statement> statements;
    Sealer sealer;
    std::optional<std::int64_t> seal; ///< the row of the run's sealed key, once something was sealed
    Bases bases;
    /// A row once there stays, and the instances of a patient come together: who met them need not wait for
    /// what others write.
    std::deque<std::pair<PatientIdentity, Patient>> met_lately;
    std::mutex met_mutex; ///< of met_lately alone
    /// Runs' keys opened lately, and by which restore key: opening one costs more than reading its rows.
    mutable std::map<std::int64_t, std::unique_ptr<const Opener>> openers;
    mutable std::array<std::uint8_t, 32> openers_of{};

    Impl(
        std::filesystem::path where, const Key& with, SQLite::Database opened,
        const std::array<std::uint8_t, 32>& public_half)
        : path(std::move(where)), key(with), key_id(key.id()), database(std::move(opened)),
          sealer(public_half)
    {
    }

    template <class Work>
    auto exclusively(Work work)
    {
        const std::lock_guard lock{mutex};
        return guarded(path, work);
    }

    /// Writes in one transaction. Immediate: who reads holds the write lock while doing so, and nobody gets
    /// half way. What `work` throws takes everything back.
    template <class Work>
    auto in_transaction(Work work)
    {
        return exclusively([&] {
            SQLite::Transaction transaction{database, SQLite::TransactionBehavior::IMMEDIATE};
            const auto before = seal;
            try {
                auto result = work();
                transaction.commit();
                return result;
            } catch (...) {
                seal = before;
                throw;
            }
        });
    }

    /// The row of this run's key, made when first needed.
    std::int64_t seal_row();
    /// Of the run that sealed with this key. Lasts until the next call.
    const Opener& opener_of(std::int64_t seal_row, const RestoreKey& restore_key) const;

    std::optional<Patient> met(const PatientIdentity& identity);
    void meet(const PatientIdentity& identity, const Patient& patient);
    std::optional<Patient> find_patient(const Key::Token& blind) const;
    std::optional<Patient> claim(const PatientIdentity& identity, const std::string& particulars);
    Patient add_patient(const PatientIdentity& identity, const Key::Token& blind, const NewPatient& if_new);
    void import_one(const ImportedPatient& imported, ImportCounts& counts);
    std::string new_code(const CodeForm& form, std::int64_t number, const PatientIdentity& who) const;
    bool is_code_taken(const std::string& code) const;
    KnownPatient opened(SQLite::Statement& row, const RestoreKey& restore_key) const;

    void reseal_notes(const RestoreKey& old_key, const RestoreKey& new_key);

    std::string index_of(std::string_view kind, std::string_view uid) const;
    std::int64_t remember(const Originals& instance);
    std::optional<RecalledOriginals> recall(SQLite::Statement& newest, const RestoreKey& restore_key) const;
    std::string study_uid_of(const RecalledOriginals& originals, std::string_view index) const;
    std::optional<RecalledOriginals> recall_first(
        std::string_view kind, std::string_view uid, const RestoreKey& restore_key);
};

} // namespace dcmpipe::pseudonym
