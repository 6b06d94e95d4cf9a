#include "send/journal.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/utc_time.hpp"
#include "core/write_ahead_log.hpp"
#include "send/data_set_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include <SQLiteCpp/SQLiteCpp.h>

namespace dcmpipe::send {

namespace fs = std::filesystem;

namespace {

constexpr int patience_ms = 60'000;

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

SQLite::Database opened(const fs::path& path)
{
    make_private_file(path);
    SQLite::Database database{path.string(), SQLite::OPEN_READWRITE, patience_ms};
    use_write_ahead_log(database.getHandle(), std::chrono::milliseconds{patience_ms});
    database.exec("PRAGMA synchronous = NORMAL"); // what a power cut takes is sent again
    database.exec(
        "CREATE TABLE IF NOT EXISTS sent (node TEXT, uid TEXT, sha256 TEXT, stage INTEGER NOT NULL, "
        "status INTEGER NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL, "
        "time TEXT NOT NULL, PRIMARY KEY (node, uid, sha256)) WITHOUT ROWID");
    return database;
}

} // namespace

struct Journal::Impl {
    explicit Impl(fs::path file) : path(std::move(file)) {}

    fs::path path;
    std::mutex mutex{};
    SQLite::Database database{opened(path)};
    SQLite::Statement select{
        database, "SELECT sha256, stage, status, path, size, modified FROM sent WHERE node = ? AND uid = ?"};
    SQLite::Statement insert{database, "INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"};
    SQLite::Statement remove{database, "DELETE FROM sent WHERE node = ? AND uid = ? AND sha256 = ?"};
};

Journal::Journal(const fs::path& file) : impl_(guarded(file, [&] { return std::make_unique<Impl>(file); })) {}

Journal::~Journal() = default;

std::vector<Journal::Entry> Journal::find(std::string_view node, std::string_view instance_uid)
{
    return guarded(impl_->path, [&] {
        const std::lock_guard lock{impl_->mutex};
        auto& query = impl_->select;
        query.reset();
        query.bind(1, std::string{node});
        query.bind(2, std::string{instance_uid});
        std::vector<Entry> entries;
        while (query.executeStep()) {
            entries.push_back(
                {.sha256 = query.getColumn(0).getString(),
                 .stage = static_cast<Stage>(query.getColumn(1).getInt()),
                 .status = static_cast<std::uint16_t>(query.getColumn(2).getInt()),
                 .path = query.getColumn(3).getString(),
                 .stamp = {
                     static_cast<std::uint64_t>(query.getColumn(4).getInt64()),
                     query.getColumn(5).getInt64()}});
        }
        query.reset();
        return entries;
    });
}

void Journal::put(std::string_view node, std::string_view instance_uid, const Entry& entry)
{
    guarded(impl_->path, [&] {
        const std::lock_guard lock{impl_->mutex};
        auto& insert = impl_->insert;
        insert.reset();
        insert.bind(1, std::string{node});
        insert.bind(2, std::string{instance_uid});
        insert.bind(3, entry.sha256);
        insert.bind(4, static_cast<int>(entry.stage));
        insert.bind(5, int{entry.status});
        insert.bind(6, entry.path.string());
        insert.bind(7, static_cast<std::int64_t>(entry.stamp.size));
        insert.bind(8, entry.stamp.modified);
        insert.bind(9, utc_now());
        insert.exec();
    });
}

void Journal::forget(std::string_view node, std::string_view instance_uid, std::string_view sha256)
{
    guarded(impl_->path, [&] {
        const std::lock_guard lock{impl_->mutex};
        auto& remove = impl_->remove;
        remove.reset();
        remove.bind(1, std::string{node});
        remove.bind(2, std::string{instance_uid});
        remove.bind(3, std::string{sha256});
        remove.exec();
    });
}

std::optional<Journal::Entry> recall(Journal& journal, std::string_view node, const Item& item)
{
    const auto entries = journal.find(node, item.instance_uid);
    const auto first_where = [&](const auto& fits) -> std::optional<Journal::Entry> {
        const auto found = std::find_if(entries.begin(), entries.end(), fits);
        return found != entries.end() ? std::optional{*found} : std::nullopt;
    };
    if (entries.empty()) {
        return std::nullopt;
    }
    // In a ZIP the same UID may stand twice.
    const auto path = fs::absolute(item.path);
    if (auto same_file = first_where([&](const Journal::Entry& entry) {
            return !item.entry && entry.path == path && entry.stamp == item.stamp;
        })) {
        return same_file;
    }
    const auto sha256 = sha256_of(item);
    return first_where([&](const Journal::Entry& entry) { return entry.sha256 == sha256; });
}

fs::path usual_journal()
{
    const auto folder = [](const char* name) {
        const char* const value = std::getenv(name);
        return fs::path{value != nullptr ? value : ""};
    };
    const auto state = folder("XDG_STATE_HOME");
    const auto home = folder("HOME");
    if (state.is_absolute()) {
        return state / "dcmpipe" / "send.db";
    }
    if (home.is_absolute()) {
        return home / ".local" / "state" / "dcmpipe" / "send.db";
    }
    throw Error{ErrorKind::Usage, "there is no home folder to keep the journal in: name one by --journal"};
}

} // namespace dcmpipe::send
