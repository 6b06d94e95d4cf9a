#include "pseudonym/map_impl.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::pseudonym {

namespace {

std::string code_for(const CodeForm& form, std::int64_t number, const Key& key, const PatientIdentity& who)
{
    const auto own = form.kind == CodeForm::Kind::Keyed ? key.patient_code(who)
                                                        : fmt::format("{:0{}}", number, form.digits);
    return form.prefix + own;
}

/// A table's word against what the map knows: a patient keeps their code for ever.
const Patient& unless_other_code(const Patient& known, const NewPatient& if_new)
{
    if (if_new.code && *if_new.code != known.code) {
        throw Error{
            ErrorKind::Refused, "cannot use the code", *if_new.code,
            fmt::format("the map has {} for this patient", known.code)};
    }
    return known;
}

Patient patient_of(SQLite::Statement& row)
{
    return {row.getColumn(0).getInt64(), row.getColumn(1).getString(), row.getColumn(2).getInt()};
}

} // namespace

std::string context_of_patient(std::int64_t number)
{
    return fmt::format("patient {}", number);
}

std::optional<Patient> Map::Impl::find_patient(const Key::Token& blind) const
{
    const Prepared select{*this, "SELECT id, code, shift_days FROM patient WHERE blind = ?"};
    bind_blob(*select, 1, text_of(blind));
    return select->executeStep() ? std::optional{patient_of(*select)} : std::nullopt;
}

/// Makes a patient of whom only the name of their folder was known this one, from now on.
std::optional<Patient> Map::Impl::claim(const PatientIdentity& identity, const std::string& particulars)
{
    auto known = find_patient(key.folder_index(identity));
    if (known) {
        SQLite::Statement update{database, "UPDATE patient SET blind = ?, seal = ?, body = ? WHERE id = ?"};
        const auto blind = key.blind_index(identity);
        const auto body = sealer.seal(particulars, context_of_patient(known->number));
        bind_blob(update, 1, text_of(blind));
        update.bind(2, seal_row());
        bind_blob(update, 3, body);
        update.bind(4, known->number);
        update.exec();
    }
    return known;
}

bool Map::Impl::is_code_taken(const std::string& code) const
{
    SQLite::Statement select{
        database, "SELECT 1 FROM patient WHERE code = ?1 UNION ALL SELECT 1 FROM alias WHERE code = ?1"};
    select.bind(1, code);
    return select.executeStep();
}

/// A number that a table or another system gave somebody already is passed over.
std::string Map::Impl::new_code(const CodeForm& form, std::int64_t number, const PatientIdentity& who) const
{
    auto code = code_for(form, number, key, who);
    while (form.kind == CodeForm::Kind::Sequential && is_code_taken(code)) {
        code = code_for(form, ++number, key, who);
    }
    return code;
}

Patient Map::Impl::add_patient(
    const PatientIdentity& identity, const Key::Token& blind, const NewPatient& if_new)
{
    const std::int64_t number =
        database.execAndGet("SELECT coalesce(max(id), 0) + 1 FROM patient").getInt64();
    Patient patient{
        number, if_new.code ? *if_new.code : new_code(if_new.form, number, identity),
        if_new.shift_days.value_or(key.shift_days(identity, if_new.range))};
    if (is_code_taken(patient.code)) {
        throw Error{ErrorKind::Refused, "cannot use the code", patient.code, "another patient has it"};
    }
    SQLite::Statement insert{database, "INSERT INTO patient VALUES (?, ?, ?, ?, ?, ?)"};
    insert.bind(1, patient.number);
    bind_blob(insert, 2, text_of(blind));
    insert.bind(3, patient.code);
    insert.bind(4, patient.shift_days);
    insert.bind(5, seal_row());
    bind_blob(insert, 6, sealer.seal(if_new.particulars, context_of_patient(patient.number)));
    insert.exec();
    return patient;
}

std::optional<Patient> Map::find(const PatientIdentity& identity) const
{
    return impl_->exclusively([&] {
        const auto known = impl_->find_patient(impl_->key.blind_index(identity));
        return known ? known : impl_->find_patient(impl_->key.folder_index(identity));
    });
}

Patient Map::patient(const PatientIdentity& identity, const NewPatient& if_new)
{
    if (const auto met = impl_->met(identity)) {
        return unless_other_code(*met, if_new);
    }
    const auto blind = impl_->key.blind_index(identity);
    const auto find = [&] { return impl_->find_patient(blind); };
    auto known = impl_->exclusively(find);
    if (!known) {
        known = impl_->in_transaction([&] {
            auto other = find();
            other = other ? other : impl_->claim(identity, if_new.particulars);
            return other ? *other : impl_->add_patient(identity, blind, if_new);
        });
    }
    impl_->meet(identity, *known);
    return unless_other_code(*known, if_new);
}

std::optional<Patient> Map::Impl::met(const PatientIdentity& identity)
{
    const std::lock_guard lock{met_mutex};
    const auto found = std::find_if(
        met_lately.begin(), met_lately.end(), [&](const auto& one) { return one.first == identity; });
    return found != met_lately.end() ? std::optional{found->second} : std::nullopt;
}

void Map::Impl::meet(const PatientIdentity& identity, const Patient& patient)
{
    const std::lock_guard lock{met_mutex};
    constexpr std::size_t most = 8;
    met_lately.emplace_front(identity, patient);
    met_lately.resize(std::min(met_lately.size(), most));
}

void Map::Impl::import_one(const ImportedPatient& imported, ImportCounts& counts)
{
    auto known = find_patient(key.blind_index(imported.identity));
    if (!known) {
        known = imported.by_folder ? find_patient(key.folder_index(imported.identity))
                                   : claim(imported.identity, imported.particulars);
    }
    if (!known) {
        add_patient(
            imported.identity,
            imported.by_folder ? key.folder_index(imported.identity) : key.blind_index(imported.identity),
            {.code = imported.code, .shift_days = imported.shift_days, .particulars = imported.particulars});
        ++counts.added;
        return;
    }
    SQLite::Statement alias{database, "SELECT patient FROM alias WHERE code = ?"};
    alias.bind(1, imported.code);
    const bool is_alias = alias.executeStep() && alias.getColumn(0).getInt64() == known->number;
    if (known->code == imported.code || is_alias) {
        ++counts.known;
        return;
    }
    if (is_code_taken(imported.code)) {
        throw Error{ErrorKind::Refused, "cannot use the code", imported.code, "another patient has it"};
    }
    SQLite::Statement insert{database, "INSERT INTO alias VALUES (?, ?)"};
    insert.bind(1, imported.code);
    insert.bind(2, known->number);
    insert.exec();
    ++counts.aliases;
}

ImportCounts Map::import(const std::vector<ImportedPatient>& patients)
{
    return impl_->in_transaction([&] {
        ImportCounts counts;
        for (const auto& patient : patients) {
            impl_->import_one(patient, counts);
        }
        return counts;
    });
}

KnownPatient Map::Impl::opened(SQLite::Statement& row, const RestoreKey& restore_key) const
{
    const auto patient = patient_of(row);
    const auto& opener = opener_of(row.getColumn(3).getInt64(), restore_key);
    return {patient, opener.open(blob(row.getColumn(4)), context_of_patient(patient.number))};
}

std::optional<KnownPatient> Map::find_code(std::string_view code, const RestoreKey& restore_key) const
{
    return impl_->exclusively([&]() -> std::optional<KnownPatient> {
        SQLite::Statement select{
            impl_->database, "SELECT id, code, shift_days, seal, body FROM patient WHERE code = ?1 OR id = "
                             "(SELECT patient FROM alias WHERE code = ?1)"};
        select.bind(1, std::string{code});
        return select.executeStep() ? std::optional{impl_->opened(select, restore_key)} : std::nullopt;
    });
}

std::vector<KnownPatient> Map::patients(const RestoreKey& restore_key) const
{
    return impl_->exclusively([&] {
        std::vector<KnownPatient> all;
        SQLite::Statement select{
            impl_->database, "SELECT id, code, shift_days, seal, body FROM patient ORDER BY id"};
        while (select.executeStep()) {
            all.push_back(impl_->opened(select, restore_key));
        }
        return all;
    });
}

std::vector<Patient> Map::codes() const
{
    return impl_->exclusively([&] {
        std::vector<Patient> all;
        SQLite::Statement select{impl_->database, "SELECT id, code, shift_days FROM patient ORDER BY id"};
        while (select.executeStep()) {
            all.push_back(patient_of(select));
        }
        return all;
    });
}

} // namespace dcmpipe::pseudonym
