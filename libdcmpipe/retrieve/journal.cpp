#include "retrieve/journal.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace dcmpipe::retrieve {

namespace fs = std::filesystem;

namespace {

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

fs::path made(const fs::path& root)
{
    make_folders(root);
    return root / ".dpipe-query.db";
}

constexpr int patience_ms = 60'000;

} // namespace

struct Journal::Impl {
    explicit Impl(fs::path folder)
        : root(std::move(folder)), path(made(root)),
          database(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, patience_ms)
    {
        database.exec("PRAGMA journal_mode = WAL");
        database.exec("PRAGMA synchronous = NORMAL"); // what a power cut takes is asked for again
        database.exec(
            "CREATE TABLE IF NOT EXISTS instance (study TEXT, series TEXT, uid TEXT, path TEXT NOT NULL, "
            "bytes INTEGER NOT NULL, PRIMARY KEY (study, series, uid)) WITHOUT ROWID");
    }

    fs::path root;
    fs::path path;
    SQLite::Database database;
};

Journal::Journal(fs::path root)
{
    const auto name = root / ".dpipe-query.db";
    impl_ = guarded(name, [&] { return std::make_unique<Impl>(std::move(root)); });
}

Journal::Journal(Journal&&) noexcept = default;
Journal::~Journal() = default;

void Journal::add(const net::StoredInstance& instance)
{
    guarded(impl_->path, [&] {
        SQLite::Statement insert{impl_->database, "INSERT OR REPLACE INTO instance VALUES (?, ?, ?, ?, ?)"};
        insert.bind(1, instance.study_uid);
        insert.bind(2, instance.series_uid);
        insert.bind(3, instance.instance_uid);
        insert.bind(4, instance.path.lexically_relative(impl_->root).string());
        insert.bind(5, static_cast<std::int64_t>(instance.bytes));
        insert.exec();
    });
}

std::optional<fs::path> Journal::find(
    std::string_view study_uid, std::string_view series_uid, std::string_view instance_uid)
{
    return guarded(impl_->path, [&]() -> std::optional<fs::path> {
        SQLite::Statement query{
            impl_->database, "SELECT path, bytes FROM instance WHERE study = ? AND series = ? AND uid = ?"};
        query.bind(1, std::string{study_uid});
        query.bind(2, std::string{series_uid});
        query.bind(3, std::string{instance_uid});
        if (!query.executeStep()) {
            return std::nullopt;
        }
        auto path = impl_->root / query.getColumn(0).getString();
        return has_size(path, query.getColumn(1).getInt64()) ? std::optional{std::move(path)} : std::nullopt;
    });
}

std::vector<fs::path> Journal::of_series(std::string_view study_uid, std::string_view series_uid)
{
    return guarded(impl_->path, [&] {
        SQLite::Statement query{
            impl_->database, "SELECT path, bytes FROM instance WHERE study = ? AND series = ?"};
        query.bind(1, std::string{study_uid});
        query.bind(2, std::string{series_uid});
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

} // namespace dcmpipe::retrieve
