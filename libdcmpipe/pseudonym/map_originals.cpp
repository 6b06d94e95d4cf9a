#include "core/sha256.hpp"
#include "dicom/tags.hpp"
#include "pseudonym/map_impl.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::pseudonym {

namespace {

std::array<std::string, 3> levels_of(const Originals& instance)
{
    return {
        "series " + instance.series_uid, "study " + instance.study_uid,
        fmt::format("patient {}", instance.patient)};
}

std::string digest_of(const Key& key, const Originals& instance)
{
    Sha256 all;
    all.add(instance.elements.bytes());
    return std::string{text_of(key.token("originals", {instance.transfer_syntax, all.hex()})).substr(0, 16)};
}

/// True where both tell of one input: what both took is the same.
bool agree(const RecalledOriginals& left, const RecalledOriginals& right)
{
    return left.transfer_syntax == right.transfer_syntax &&
           std::all_of(left.elements.begin(), left.elements.end(), [&](const auto& element) {
               const auto other = right.elements.find(element.first);
               return other == right.elements.end() || other->second == element.second;
           });
}

/// What an older row of the same input knows beside the newer one.
void add_older(RecalledOriginals& originals, RecalledOriginals older)
{
    originals.elements.merge(older.elements);
    for (const auto tag : older.added) {
        if (std::find(originals.added.begin(), originals.added.end(), tag) == originals.added.end()) {
            originals.added.push_back(tag);
        }
    }
}

} // namespace

std::string context_of_originals(std::string_view instance, std::optional<std::int64_t> base)
{
    return fmt::format("originals {} {}", base.value_or(0), instance);
}

std::shared_ptr<const Base> Bases::find(const std::string& level)
{
    const auto found =
        std::find_if(bases_.begin(), bases_.end(), [&](const auto& base) { return base->level == level; });
    if (found == bases_.end()) {
        return nullptr;
    }
    bases_.splice(bases_.begin(), bases_, found);
    return bases_.front();
}

void Bases::add(std::string level, std::int64_t row, const TakenElements& elements)
{
    bases_.push_front(std::make_shared<Base>(Base{std::move(level), row, elements}));
    if (bases_.size() > most) {
        bases_.pop_back();
    }
}

std::string Map::Impl::index_of(std::string_view kind, std::string_view uid) const
{
    return std::string{text_of(key.token(kind, {uid})).substr(0, 16)};
}

std::int64_t Map::Impl::remember(const Originals& instance)
{
    const auto index = index_of("instance", instance.instance_uid);
    const auto digest = digest_of(key, instance);
    {
        const Prepared select{*this, "SELECT id FROM originals WHERE instance = ? AND digest = ?"};
        bind_blob(*select, 1, index);
        bind_blob(*select, 2, digest);
        if (select->executeStep()) {
            return select->getColumn(0).getInt64();
        }
    }
    const auto levels = levels_of(instance);
    std::shared_ptr<const Base> base;
    for (const auto& level : levels) {
        base = base ? base : bases.find(level);
    }
    static const TakenElements nothing;
    const auto body = difference(instance, base ? base->elements : nothing).encode();
    const auto base_row = base ? std::optional{base->row} : std::nullopt;
    const Prepared insert{
        *this,
        "INSERT INTO originals (instance, digest, patient, base, seal, body) VALUES (?, ?, ?, ?, ?, ?)"};
    bind_blob(*insert, 1, index);
    bind_blob(*insert, 2, digest);
    insert->bind(3, instance.patient);
    if (base_row) {
        insert->bind(4, *base_row);
    }
    insert->bind(5, seal_row());
    bind_blob(*insert, 6, sealer.seal(body, context_of_originals(index, base_row)));
    insert->exec();
    const auto row = database.getLastInsertRowid();
    if (base && base->level == levels.front()) {
        return row; // of a series that has its first
    }
    const Prepared first{*this, "INSERT OR IGNORE INTO first VALUES (?, ?)"};
    for (const auto& [kind, uid] :
         {std::pair{"study", instance.study_uid}, std::pair{"series", instance.series_uid}}) {
        bind_blob(*first, 1, index_of(kind, uid));
        first->bind(2, row);
        first->exec();
        first->reset();
    }
    return row;
}

void Map::remember(const std::vector<Originals>& instances)
{
    // A failed transaction takes its rows back: bases found in it must go with them.
    const auto before = impl_->bases;
    try {
        impl_->in_transaction([&] {
            for (const auto& instance : instances) {
                const auto row = impl_->remember(instance);
                for (const auto& level : levels_of(instance)) {
                    if (!impl_->bases.find(level)) {
                        impl_->bases.add(level, row, instance.elements);
                    }
                }
            }
            return instances.size();
        });
    } catch (...) {
        impl_->bases = before;
        throw;
    }
}

bool Map::knows(std::string_view instance_uid) const
{
    return impl_->exclusively([&] {
        const Impl::Prepared select{*impl_, "SELECT 1 FROM originals WHERE instance = ? LIMIT 1"};
        bind_blob(*select, 1, impl_->index_of("instance", instance_uid));
        return select->executeStep();
    });
}

/// From the row that `newest` gives to its last base, then the differences in the other order.
std::optional<RecalledOriginals> Map::Impl::recall(
    SQLite::Statement& newest, const RestoreKey& restore_key) const
{
    if (!newest.executeStep()) {
        return std::nullopt;
    }
    std::optional<std::int64_t> row = newest.getColumn(0).getInt64();
    std::vector<Difference> chain;
    SQLite::Statement select{database, "SELECT instance, base, seal, body FROM originals WHERE id = ?"};
    while (row) {
        select.bind(1, *row);
        if (!select.executeStep()) {
            throw Error{ErrorKind::Refused, "a row of the map is missing"};
        }
        const auto base = select.getColumn(1);
        const auto base_row = base.isNull() ? std::nullopt : std::optional{base.getInt64()};
        const auto& opener = opener_of(select.getColumn(2).getInt64(), restore_key);
        chain.push_back(Difference::decode(opener.open(
            blob(select.getColumn(3)), context_of_originals(blob(select.getColumn(0)), base_row))));
        // A base is always older: a row that claims otherwise would lead round in circles.
        if (base_row && *base_row >= *row) {
            throw Error{ErrorKind::Refused, "a row of the map was tampered with"};
        }
        row = base_row;
        select.reset();
    }
    RecalledOriginals originals;
    std::for_each(chain.rbegin(), chain.rend(), [&](const Difference& d) { apply(d, originals); });
    return originals;
}

/// One input that went through two profiles has two rows: what either took belongs to it.
std::optional<RecalledOriginals> Map::recall(
    std::string_view instance_uid, const RestoreKey& restore_key) const
{
    return impl_->exclusively([&] {
        SQLite::Statement rows{
            impl_->database, "SELECT id FROM originals WHERE instance = ? ORDER BY id DESC"};
        const auto index = impl_->index_of("instance", instance_uid);
        bind_blob(rows, 1, index);
        auto newest = impl_->recall(rows, restore_key);
        while (newest) {
            auto older = impl_->recall(rows, restore_key);
            if (!older) {
                break;
            }
            if (agree(*newest, *older)) {
                add_older(*newest, std::move(*older));
            }
        }
        return newest;
    });
}

std::optional<RecalledOriginals> Map::Impl::recall_first(
    std::string_view kind, std::string_view uid, const RestoreKey& restore_key)
{
    return exclusively([&] {
        SQLite::Statement first{database, "SELECT originals FROM first WHERE uid = ?"};
        const auto index = index_of(kind, uid);
        bind_blob(first, 1, index);
        return recall(first, restore_key);
    });
}

std::optional<RecalledOriginals> Map::recall_study(
    std::string_view study_uid, const RestoreKey& restore_key) const
{
    return impl_->recall_first("study", study_uid, restore_key);
}

std::optional<RecalledOriginals> Map::recall_series(
    std::string_view series_uid, const RestoreKey& restore_key) const
{
    return impl_->recall_first("series", series_uid, restore_key);
}

/// The UID of the output whose index this is, made of the original one; empty where the index is a series'.
std::string Map::Impl::study_uid_of(const RecalledOriginals& originals, std::string_view index) const
{
    const auto original = original_text(originals, dicom::tags::StudyInstanceUID);
    for (const auto& uid : {key.uid(original), original}) {
        if (index == index_of("study", uid)) {
            return uid;
        }
    }
    return {};
}

std::vector<KnownStudy> Map::studies(const RestoreKey& restore_key) const
{
    return impl_->exclusively([&] {
        std::vector<KnownStudy> all;
        SQLite::Statement rows{
            impl_->database, "SELECT originals.id, first.uid, patient.code FROM first "
                             "JOIN originals ON originals.id = first.originals "
                             "JOIN patient ON patient.id = originals.patient ORDER BY originals.id"};
        while (auto originals = impl_->recall(rows, restore_key)) {
            if (auto uid = impl_->study_uid_of(*originals, blob(rows.getColumn(1))); !uid.empty()) {
                all.push_back({std::move(uid), rows.getColumn(2).getString(), std::move(*originals)});
            }
        }
        return all;
    });
}

} // namespace dcmpipe::pseudonym
