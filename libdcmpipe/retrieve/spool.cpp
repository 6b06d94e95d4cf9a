#include "retrieve/spool.hpp"

#include "core/error.hpp"

#include <array>
#include <cstring>

#include <SQLiteCpp/SQLiteCpp.h>
#include <openssl/sha.h>

namespace dcmpipe::retrieve {

namespace {

template <class Work>
auto guarded(Work work)
{
    try {
        return work();
    } catch (const SQLite::Exception& error) {
        throw Error{ErrorKind::Output, "cannot keep", "answers", error.what()};
    }
}

void append(std::string& bytes, std::uint32_t number)
{
    std::array<char, sizeof number> raw{};
    std::memcpy(raw.data(), &number, sizeof number);
    bytes.append(raw.data(), raw.size());
}

std::uint32_t take(std::string_view& bytes)
{
    std::uint32_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    bytes.remove_prefix(sizeof number);
    return number;
}

/// Tag, length, value, and so on: read by this process alone.
std::string packed(const Attributes& attributes)
{
    std::string bytes;
    for (const auto& [tag, value] : attributes) {
        append(bytes, tag.value);
        append(bytes, static_cast<std::uint32_t>(value.size()));
        bytes += value;
    }
    return bytes;
}

Attributes unpacked(std::string_view bytes)
{
    Attributes attributes;
    while (!bytes.empty()) {
        const auto tag = take(bytes);
        const auto size = take(bytes);
        attributes.emplace_hint(attributes.end(), dicom::Tag{tag}, bytes.substr(0, size));
        bytes.remove_prefix(size);
    }
    return attributes;
}

} // namespace

struct Spool::Impl {
    Impl() : database("", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
    {
        database.exec("PRAGMA journal_mode = OFF");
        database.exec("PRAGMA cache_size = -16384"); // KiB
        database.exec("CREATE TABLE answer (id INTEGER PRIMARY KEY, body BLOB NOT NULL)");
        // By digest: UIDs that begin alike and are long would cost twice.
        database.exec("CREATE TABLE known (digest BLOB PRIMARY KEY) WITHOUT ROWID");
        database.exec("BEGIN");
        insert.emplace(database, "INSERT INTO answer (body) VALUES (?)");
        know.emplace(database, "INSERT OR IGNORE INTO known VALUES (?)");
        after.emplace(database, "SELECT id, body FROM answer WHERE id > ? ORDER BY id LIMIT 1");
    }

    SQLite::Database database;
    std::optional<SQLite::Statement> insert{};
    std::optional<SQLite::Statement> know{};
    std::optional<SQLite::Statement> after{};
    std::uint64_t size = 0;
    std::int64_t last_given = 0;
};

Spool::Spool() : impl_(guarded([] { return std::make_unique<Impl>(); })) {}
Spool::~Spool() = default;

bool Spool::add(std::string_view uid, const Attributes& answer)
{
    return guarded([&] {
        std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
        ::SHA256(reinterpret_cast<const unsigned char*>(uid.data()), uid.size(), digest.data());
        impl_->know->reset();
        impl_->know->bind(1, digest.data(), digest.size() / 2);
        if (impl_->know->exec() == 0) {
            return false;
        }
        const auto body = packed(answer);
        impl_->insert->reset();
        impl_->insert->bind(1, body.data(), static_cast<int>(body.size()));
        impl_->insert->exec();
        ++impl_->size;
        return true;
    });
}

std::uint64_t Spool::size() const noexcept
{
    return impl_->size;
}

std::optional<Attributes> Spool::next()
{
    return guarded([&]() -> std::optional<Attributes> {
        impl_->after->reset();
        impl_->after->bind(1, impl_->last_given);
        if (!impl_->after->executeStep()) {
            return std::nullopt;
        }
        impl_->last_given = impl_->after->getColumn(0).getInt64();
        const auto body = impl_->after->getColumn(1);
        return unpacked(
            {static_cast<const char*>(body.getBlob()), static_cast<std::size_t>(body.getBytes())});
    });
}

} // namespace dcmpipe::retrieve
