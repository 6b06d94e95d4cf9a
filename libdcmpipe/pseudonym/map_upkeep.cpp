#include "core/file_bytes.hpp"
#include "core/output_file.hpp"
#include "pseudonym/map_impl.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace dcmpipe::pseudonym {

namespace fs = std::filesystem;

namespace {

constexpr const char* files_of_a_map[] = {"", "-wal", "-shm"};

/// Texts by their first bytes: one pass over a file finds any of them, however many patients there are.
class Texts {
public:
    void add(const KnownPatient& known)
    {
        const auto json = nlohmann::json::parse(known.particulars, nullptr, false);
        for (const auto& value : json.is_object() ? json : nlohmann::json::object()) {
            const auto text = value.is_string() ? value.get<std::string>() : std::string{};
            for (std::size_t start = 0; start < text.size();) {
                const auto end = std::min(text.find('^', start), text.size());
                add(text.substr(start, end - start), known.patient.code);
                start = end + 1;
            }
        }
    }

    /// The codes of whom `bytes` show something.
    std::set<std::string> shown_in(std::string_view bytes) const
    {
        std::set<std::string> codes;
        std::uint64_t window = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            window = shifted(window, bytes[i]);
            if (i + 1 < shortest || !starts_[window % starts_.size()]) {
                continue;
            }
            const auto [begin, end] = texts_.equal_range(window);
            for (auto at = begin; at != end; ++at) {
                if (bytes.substr(i + 1 - shortest).starts_with(at->second.first)) {
                    codes.insert(at->second.second);
                }
            }
        }
        return codes;
    }

private:
    /// Long enough to be told from chance.
    static constexpr std::size_t shortest = 5;

    static std::uint64_t shifted(std::uint64_t window, char next)
    {
        return (window << 8U | static_cast<unsigned char>(next)) & ((std::uint64_t{1} << 8 * shortest) - 1);
    }

    void add(const std::string& text, const std::string& code)
    {
        if (text.size() >= shortest) {
            std::uint64_t window = 0;
            for (const char c : text.substr(0, shortest)) {
                window = shifted(window, c);
            }
            starts_[window % starts_.size()] = true;
            texts_.emplace(window, std::pair{text, code});
        }
    }

    std::vector<bool> starts_ = std::vector<bool>(65'521); ///< a prime: most windows end here
    std::unordered_multimap<std::uint64_t, std::pair<std::string, std::string>> texts_;
};

void find_clear_text(
    const fs::path& map, const std::vector<KnownPatient>& patients, std::vector<std::string>& faults)
{
    Texts texts;
    for (const auto& known : patients) {
        texts.add(known);
    }
    for (const auto* const ending : files_of_a_map) {
        const fs::path file{map.string() + ending};
        if (fs::exists(file)) {
            for (const auto& code : texts.shown_in(FileBytes::open(file).view())) {
                faults.push_back(
                    fmt::format("'{}' shows something of patient {} in clear", file.string(), code));
            }
        }
    }
}

/// A note can only be written by who has the private half.
std::string mac_of_note(const RestoreKey& restore_key, std::string_view name, std::string_view text)
{
    return std::string{text_of(Key{restore_key.private_half}.token("note", {name, text}))};
}

} // namespace

std::vector<std::string> Map::check(const RestoreKey* restore_key) const
{
    std::vector<std::string> faults;
    impl_->exclusively([&] {
        SQLite::Statement integrity{impl_->database, "PRAGMA integrity_check"};
        while (integrity.executeStep()) {
            if (const auto line = integrity.getColumn(0).getString(); line != "ok") {
                faults.push_back(line);
            }
        }
        SQLite::Statement references{impl_->database, "PRAGMA foreign_key_check"};
        while (references.executeStep()) {
            faults.push_back(
                fmt::format("a row of table {} refers to none", references.getColumn(0).getString()));
        }
    });
    if (restore_key == nullptr) {
        return faults;
    }
    find_clear_text(impl_->path, patients(*restore_key), faults);
    impl_->exclusively([&] {
        SQLite::Statement rows{impl_->database, "SELECT id, instance, base, seal, body FROM originals"};
        while (rows.executeStep()) {
            const auto base = rows.getColumn(2);
            const auto base_row = base.isNull() ? std::nullopt : std::optional{base.getInt64()};
            try {
                impl_->opener_of(rows.getColumn(3).getInt64(), *restore_key)
                    .open(blob(rows.getColumn(4)), context_of_originals(blob(rows.getColumn(1)), base_row));
            } catch (const Error& error) {
                faults.push_back(fmt::format(
                    "row {} of table originals: {}", rows.getColumn(0).getInt64(), error.reason()));
            }
        }
    });
    return faults;
}

std::string Map::note(const std::string& name, const RestoreKey* restore_key) const
{
    return impl_->exclusively([&] {
        SQLite::Statement select{impl_->database, "SELECT text, mac FROM note WHERE name = ?"};
        select.bind(1, name);
        if (!select.executeStep()) {
            return std::string{};
        }
        auto text = select.getColumn(0).getString();
        if (restore_key != nullptr && blob(select.getColumn(1)) != mac_of_note(*restore_key, name, text)) {
            throw Error{
                ErrorKind::Refused, "cannot use the map", impl_->path.string(),
                "a note in it was tampered with, or is another restore key's"};
        }
        return text;
    });
}

void Map::set_note(const std::string& name, std::string_view text, const RestoreKey& restore_key)
{
    impl_->in_transaction([&] {
        SQLite::Statement write{impl_->database, "INSERT OR REPLACE INTO note VALUES (?, ?, ?)"};
        const auto mac = mac_of_note(restore_key, name, text);
        write.bind(1, name);
        write.bind(2, std::string{text});
        bind_blob(write, 3, mac);
        return write.exec();
    });
}

void Map::backup(const fs::path& copy) const
{
    const auto folder = copy.has_parent_path() ? copy.parent_path() : fs::path{"."};
    const auto unfinished = folder / fmt::format(".{}.{}.part", copy.filename().string(), ::getpid());
    const int fd = ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", copy.string());
    }
    const Fd file{fd};
    try {
        impl_->exclusively([&] {
            SQLite::Database target{unfinished.string(), SQLite::OPEN_READWRITE};
            SQLite::Backup{target, impl_->database}.executeStep(-1);
        });
        if (::fsync(file.get()) != 0 ||
            ::renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, copy.c_str(), RENAME_NOREPLACE) != 0) {
            throw Error::from_errno(ErrorKind::Output, "cannot write", copy.string());
        }
    } catch (...) {
        ::unlink(unfinished.c_str());
        throw;
    }
    sync_folder(folder);
}

void Map::Impl::reseal_notes(const RestoreKey& old_key, const RestoreKey& new_key)
{
    std::vector<std::array<std::string, 3>> notes;
    SQLite::Statement select{database, "SELECT name, text, mac FROM note"};
    while (select.executeStep()) {
        notes.push_back(
            {select.getColumn(0).getString(), select.getColumn(1).getString(), blob(select.getColumn(2))});
    }
    SQLite::Statement update{database, "UPDATE note SET mac = ? WHERE name = ?"};
    for (const auto& [name, text, mac] : notes) {
        if (mac != mac_of_note(old_key, name, text)) {
            throw Error{ErrorKind::Refused, "a note in the map was tampered with"};
        }
        const auto resealed = mac_of_note(new_key, name, text);
        bind_blob(update, 1, resealed);
        update.bind(2, name);
        update.exec();
        update.reset();
    }
}

void Map::rekey(const RestoreKey& old_key, const RestoreKey& new_key)
{
    impl_->in_transaction([&] {
        std::vector<std::pair<std::int64_t, std::string>> resealed;
        SQLite::Statement select{impl_->database, "SELECT id, sealed_key FROM seal"};
        while (select.executeStep()) {
            resealed.emplace_back(
                select.getColumn(0).getInt64(),
                reseal(blob(select.getColumn(1)), old_key, new_key.public_half));
        }
        SQLite::Statement update{impl_->database, "UPDATE seal SET sealed_key = ? WHERE id = ?"};
        for (const auto& [row, sealed_key] : resealed) {
            bind_blob(update, 1, sealed_key);
            update.bind(2, row);
            update.exec();
            update.reset();
        }
        impl_->reseal_notes(old_key, new_key);
        SQLite::Statement meta{
            impl_->database, "UPDATE meta SET value = ? WHERE name = 'restore_public_key'"};
        bind_blob(
            meta, 1, {reinterpret_cast<const char*>(new_key.public_half.data()), new_key.public_half.size()});
        return meta.exec();
    });
}

} // namespace dcmpipe::pseudonym
