#include "retrieve/journal.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/sha256.hpp"
#include "core/write_ahead_log.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace fs = std::filesystem;

namespace {

constexpr auto schema =
    "CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE IF NOT EXISTS row (job INTEGER, digest TEXT, number INTEGER, state INTEGER NOT NULL, "
    "  reason TEXT, PRIMARY KEY (job, digest)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS series (job INTEGER, row TEXT, study TEXT, uid TEXT, status TEXT NOT NULL, "
    "  reason TEXT, expected INTEGER, present INTEGER, received INTEGER, rejected INTEGER, missing INTEGER, "
    "  PRIMARY KEY (job, row, study, uid)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS instance (study TEXT, series TEXT, uid TEXT, path TEXT NOT NULL, "
    "  bytes INTEGER NOT NULL, PRIMARY KEY (study, series, uid)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sent (job INTEGER, study TEXT, series TEXT, uid TEXT, "
    "  PRIMARY KEY (job, study, series, uid)) WITHOUT ROWID;";

/// Runs `work` with SQLite's exceptions leaving as Error.
template <class Work>
auto guarded(const fs::path& path, Work work)
{
    try {
        return work();
    } catch (const SQLite::Exception& error) {
        throw Error{ErrorKind::Output, "cannot use the journal", path.string(), error.what()};
    }
}

bool has_size(const fs::path& path, std::int64_t bytes)
{
    std::error_code error;
    const auto size = fs::file_size(path, error);
    return !error && size == static_cast<std::uintmax_t>(bytes);
}

std::string digest_of(const Row& row)
{
    Sha256 sha;
    for (const auto& criterion : row.criteria) {
        sha.add(fmt::format("{}={}\n", criterion.tag, criterion.key));
    }
    return sha.hex();
}

SQLite::Database opened(const fs::path& path)
{
    constexpr int patience_ms = 60'000;
    make_private_file(path);
    SQLite::Database database{path.string(), SQLite::OPEN_READWRITE, patience_ms};
    use_write_ahead_log(database.getHandle(), std::chrono::milliseconds{patience_ms});
    database.exec("PRAGMA synchronous = NORMAL"); // what a power cut takes is asked for again
    database.exec(schema);
    return database;
}

} // namespace

struct Journal::Impl {
    Impl(fs::path file, fs::path folder, std::string_view name)
        : root(std::move(folder)), path(std::move(file)), database(opened(path)),
          insert_instance(database, "INSERT OR REPLACE INTO instance VALUES (?, ?, ?, ?, ?)"),
          find_instance(
              database, "SELECT path, bytes FROM instance WHERE study = ? AND series = ? AND uid = ?")
    {
        run("INSERT OR IGNORE INTO job (name) VALUES (?)", std::string{name});
        SQLite::Statement query{database, "SELECT id FROM job WHERE name = ?"};
        query.bind(1, std::string{name});
        query.executeStep();
        job = query.getColumn(0).getInt64();
    }

    template <class... Values>
    void run(const char* sql, const Values&... values)
    {
        SQLite::Statement statement{database, sql};
        int index = 0;
        (statement.bind(++index, values), ...);
        statement.exec();
    }

    template <class... Values>
    SQLite::Statement asked(const char* sql, const Values&... values)
    {
        SQLite::Statement statement{database, sql};
        int index = 0;
        (statement.bind(++index, values), ...);
        return statement;
    }

    fs::path root;
    fs::path path;
    SQLite::Database database;
    SQLite::Statement insert_instance; ///< those that are in a hurry
    SQLite::Statement find_instance;
    std::int64_t job = 0;
};

Journal::Journal(fs::path file, fs::path root, std::string_view job)
{
    impl_ = guarded(file, [&] { return std::make_unique<Impl>(file, std::move(root), job); });
}

Journal::Journal(Journal&&) noexcept = default;
Journal::~Journal() = default;

RowState Journal::state_of(const Row& row)
{
    return guarded(impl_->path, [&] {
        auto query =
            impl_->asked("SELECT state FROM row WHERE job = ? AND digest = ?", impl_->job, digest_of(row));
        return query.executeStep() ? static_cast<RowState>(query.getColumn(0).getInt()) : RowState::New;
    });
}

void Journal::begin(const Row& row)
{
    end(row, RowState::Begun, {});
}

void Journal::end(const Row& row, RowState state, std::string_view reason)
{
    guarded(impl_->path, [&] {
        impl_->run(
            "INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?, ?)", impl_->job, digest_of(row),
            static_cast<std::int64_t>(row.number), static_cast<int>(state), std::string{reason});
    });
}

void Journal::add(const Row& row, const FoundSeries& series, std::string_view status, const Fetched& fetched)
{
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    guarded(impl_->path, [&] {
        impl_->run(
            "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", impl_->job,
            digest_of(row), series.study_uid, series.series_uid, std::string{status}, fetched.reason,
            number(fetched.expected), number(fetched.present), number(fetched.received),
            number(fetched.rejected), number(fetched.missing));
    });
}

void Journal::add(const net::StoredInstance& instance)
{
    guarded(impl_->path, [&] {
        auto& insert = impl_->insert_instance;
        insert.reset();
        insert.bind(1, instance.study_uid);
        insert.bind(2, instance.series_uid);
        insert.bind(3, instance.instance_uid);
        insert.bind(4, instance.path.lexically_relative(impl_->root).string());
        insert.bind(5, static_cast<std::int64_t>(instance.bytes));
        insert.exec();
        insert.reset();
    });
}

std::optional<fs::path> Journal::find(
    std::string_view study_uid, std::string_view series_uid, std::string_view instance_uid)
{
    return guarded(impl_->path, [&]() -> std::optional<fs::path> {
        auto& query = impl_->find_instance;
        query.reset();
        query.bind(1, std::string{study_uid});
        query.bind(2, std::string{series_uid});
        query.bind(3, std::string{instance_uid});
        std::optional<fs::path> path;
        std::int64_t bytes = 0;
        if (query.executeStep()) {
            path = impl_->root / query.getColumn(0).getString();
            bytes = query.getColumn(1).getInt64();
        }
        query.reset(); // or the write-ahead log could not be emptied
        return path && has_size(*path, bytes) ? path : std::nullopt;
    });
}

std::vector<fs::path> Journal::of_series(std::string_view study_uid, std::string_view series_uid)
{
    return guarded(impl_->path, [&] {
        auto query = impl_->asked(
            "SELECT path, bytes FROM instance WHERE study = ? AND series = ?", std::string{study_uid},
            std::string{series_uid});
        std::vector<fs::path> paths;
        while (query.executeStep()) {
            auto path = impl_->root / query.getColumn(0).getString();
            if (has_size(path, query.getColumn(1).getInt64())) {
                paths.push_back(std::move(path));
            }
        }
        return paths;
    });
}

void Journal::add_sent(const FoundSeries& series, const Uids& instances)
{
    guarded(impl_->path, [&] {
        SQLite::Transaction all{impl_->database};
        for (const auto& uid : instances) {
            impl_->run(
                "INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?)", impl_->job, series.study_uid,
                series.series_uid, uid);
        }
        all.commit();
    });
}

Journal::Uids Journal::sent(const FoundSeries& series)
{
    return guarded(impl_->path, [&] {
        auto query = impl_->asked(
            "SELECT uid FROM sent WHERE job = ? AND study = ? AND series = ?", impl_->job, series.study_uid,
            series.series_uid);
        Uids uids;
        while (query.executeStep()) {
            uids.insert(query.getColumn(0).getString());
        }
        return uids;
    });
}

} // namespace dcmpipe::retrieve
