#include "pseudonym/map_impl.hpp"

#include <algorithm>
#include <cerrno>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

namespace dcmpipe::pseudonym {

namespace fs = std::filesystem;

namespace {

constexpr int busy_timeout_ms = 60'000;
constexpr std::string_view format = "dcmpipe-map/1";

constexpr const char* schema = R"sql(
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
CREATE TABLE seal (              -- the key of one run, sealed to the restore key
    id INTEGER PRIMARY KEY,
    sealed_key BLOB NOT NULL
) STRICT;
CREATE TABLE patient (
    id INTEGER PRIMARY KEY,
    blind BLOB NOT NULL UNIQUE,  -- HMAC of issuer and Patient ID
    code TEXT NOT NULL UNIQUE,
    shift_days INTEGER NOT NULL,
    seal INTEGER NOT NULL REFERENCES seal,
    body BLOB NOT NULL           -- sealed: who the patient is
) STRICT;
CREATE TABLE note (              -- what is remembered beside the rows; names nobody
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    mac BLOB NOT NULL            -- HMAC under the private restore key
) STRICT;
CREATE TABLE alias (             -- codes that a patient had elsewhere
    code TEXT PRIMARY KEY,
    patient INTEGER NOT NULL REFERENCES patient
) STRICT, WITHOUT ROWID;
CREATE TABLE originals (
    id INTEGER PRIMARY KEY,
    instance BLOB NOT NULL,      -- HMAC of the output's SOP Instance UID
    digest BLOB NOT NULL,        -- HMAC of all that was taken: the same again is stored once
    patient INTEGER NOT NULL REFERENCES patient,
    base INTEGER REFERENCES originals,
    seal INTEGER NOT NULL REFERENCES seal,
    body BLOB NOT NULL,          -- sealed: the difference to the base
    UNIQUE (instance, digest)
) STRICT;
CREATE TABLE first (             -- what came first of a study or series
    uid BLOB PRIMARY KEY,        -- HMAC of the output's Study or Series Instance UID
    originals INTEGER NOT NULL REFERENCES originals
) STRICT, WITHOUT ROWID;
)sql";

void refuse_network_file_system(const fs::path& path)
{
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0) {
        throw Error::from_errno(ErrorKind::Usage, "cannot open the map", path.string());
    }
    constexpr std::array<unsigned long, 11> network{
        NFS_SUPER_MAGIC,
        SMB_SUPER_MAGIC,
        0xff534d42UL /* CIFS */,
        0xfe534d42UL /* SMB2 */,
        AFS_SUPER_MAGIC,
        CODA_SUPER_MAGIC,
        V9FS_MAGIC,
        0x00c36400UL /* Ceph */,
        0x0bd00bd0UL /* Lustre */,
        0x47504653UL /* GPFS */,
        0x19830326UL /* BeeGFS */};
    if (std::find(network.begin(), network.end(), static_cast<unsigned long>(status.f_type)) !=
        network.end()) {
        throw Error{
            ErrorKind::Refused, "cannot open the map", path.string(),
            "it is on a network file system, where two processes could spoil it"};
    }
}

void set_meta(SQLite::Database& database, const char* name, std::string_view value)
{
    SQLite::Statement insert{database, "INSERT INTO meta VALUES (?, ?)"};
    insert.bind(1, name);
    bind_blob(insert, 2, value);
    insert.exec();
}

std::array<std::uint8_t, 32> public_half_of(const SQLite::Database& database, const fs::path& path)
{
    const auto text = meta(database, "restore_public_key");
    std::array<std::uint8_t, 32> bits{};
    if (text.size() != bits.size()) {
        throw Error{ErrorKind::Input, "cannot use the map", path.string(), "it is damaged: no restore key"};
    }
    std::copy(text.begin(), text.end(), bits.begin());
    return bits;
}

} // namespace

void rethrow(const SQLite::Exception& error, const fs::path& path)
{
    const int code = error.getErrorCode();
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        throw Error{
            ErrorKind::Input, "cannot use the map", path.string(),
            "it is damaged; restore it from a backup, a new one would give other codes"};
    }
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        throw Error{
            ErrorKind::Peer, "cannot use the map", path.string(), "it stayed locked by another process"};
    }
    const auto kind = code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_READONLY
                          ? ErrorKind::Output
                          : ErrorKind::Input;
    throw Error{kind, "cannot use the map", path.string(), error.getErrorStr()};
}

std::string meta(const SQLite::Database& database, const char* name)
{
    SQLite::Statement select{database, "SELECT value FROM meta WHERE name = ?"};
    select.bind(1, name);
    return select.executeStep() ? blob(select.getColumn(0)) : std::string{};
}

std::int64_t Map::Impl::seal_row()
{
    if (!seal) {
        SQLite::Statement insert{database, "INSERT INTO seal (sealed_key) VALUES (?)"};
        bind_blob(insert, 1, sealer.sealed_key());
        insert.exec();
        seal = database.getLastInsertRowid();
    }
    return *seal;
}

const Opener& Map::Impl::opener_of(std::int64_t row, const RestoreKey& restore_key) const
{
    constexpr std::size_t most = 256;
    if (openers_of != restore_key.private_half || openers.size() >= most) {
        openers.clear();
        openers_of = restore_key.private_half;
    }
    if (const auto known = openers.find(row); known != openers.end()) {
        return *known->second;
    }
    SQLite::Statement select{database, "SELECT sealed_key FROM seal WHERE id = ?"};
    select.bind(1, row);
    if (!select.executeStep()) {
        throw Error{ErrorKind::Refused, "a row of the map is missing"};
    }
    auto opener = std::make_unique<const Opener>(blob(select.getColumn(0)), restore_key);
    return *openers.emplace(row, std::move(opener)).first->second;
}

void Map::create(const fs::path& path, const Key& key, const RestoreKey& restore_key)
{
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path{"."};
    refuse_network_file_system(folder);
    // Made whole under another name: a map that exists is a map that works.
    const auto unfinished = folder / fmt::format(".{}.{}.part", path.filename().string(), ::getpid());
    const int fd = ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot make the map", path.string());
    }
    ::close(fd);
    try {
        SQLite::Database database{unfinished.string(), SQLite::OPEN_READWRITE};
        SQLite::Transaction transaction{database};
        database.exec(schema);
        set_meta(database, "format", format);
        set_meta(database, "key_id", key.id());
        set_meta(
            database, "restore_public_key",
            {reinterpret_cast<const char*>(restore_key.public_half.data()), restore_key.public_half.size()});
        transaction.commit();
        // For good, and while nobody else can hold it: two that open it first would lock each other out.
        database.exec("PRAGMA journal_mode = WAL");
    } catch (const SQLite::Exception& error) {
        ::unlink(unfinished.c_str());
        rethrow(error, path);
    }
    if (::renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
        const int reason = errno;
        ::unlink(unfinished.c_str());
        errno = reason;
        throw Error::from_errno(ErrorKind::Output, "cannot make the map", path.string());
    }
}

Map Map::open(const fs::path& path, const Key& key)
{
    refuse_network_file_system(path);
    return guarded(path, [&] {
        SQLite::Database database{path.string(), SQLite::OPEN_READWRITE, busy_timeout_ms};
        if (meta(database, "format") != format) {
            throw Error{ErrorKind::Usage, "cannot open the map", path.string(), "not a dcmpipe map"};
        }
        if (const auto made_for = meta(database, "key_id"); made_for != key.id()) {
            throw Error{
                ErrorKind::Usage, "cannot open the map", path.string(),
                fmt::format("it was made for key {}, this is key {}", made_for, key.id())};
        }
        database.exec("PRAGMA synchronous = FULL");
        database.exec("PRAGMA foreign_keys = ON");
        const auto public_half = public_half_of(database, path);
        return Map{std::make_unique<Impl>(path, key, std::move(database), public_half)};
    });
}

Map::Map(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Map::Map(Map&&) noexcept = default;
Map::~Map() = default;

const Key& Map::key() const noexcept
{
    return impl_->key;
}

const std::string& Map::key_id() const noexcept
{
    return impl_->key_id;
}

const fs::path& Map::path() const noexcept
{
    return impl_->path;
}

} // namespace dcmpipe::pseudonym
