/// \file dpipe-map: the link map between identities and pseudonyms, its keys, and what it exchanges.

#include "cli/command.hpp"
#include "cli/key_options.hpp"
#include "core/json_file.hpp"
#include "core/log.hpp"
#include "core/output_file.hpp"
#include "pseudonym/audit.hpp"
#include "pseudonym/exchange.hpp"
#include "pseudonym/reveal.hpp"

#include <map>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-map",
    .summary = "Make and keep the link map between patients and their pseudonyms.",
    .usage = "VERB -m MAP [OPTIONS] [FILE...]",
    .examples = "  dpipe-map init -m link.db\n"
                "  dpipe-map lookup -m link.db --restore-key link.restore.key --pseudonym sub-001\n"
                "  dpipe-map import -m link.db --format receiver-json patient_info_map.json\n"
                "  dpipe-map check -m link.db\n"
                "  dpipe-map audit -m link.db --verify\n",
    .notes = "Verbs:\n"
             "  init      make a map, its project key and its restore key pair; nothing is ever overwritten\n"
             "  list      print the codes; nobody is named\n"
             "  lookup    say who stands behind --pseudonym or --study-uid, or which code a --patient-id has "
             "(audited)\n"
             "  import    take over patients and codes from FILE...\n"
             "  export    write patients and codes to -o FILE (audited)\n"
             "  check     look for damage; with the restore key, open every value and search for clear text\n"
             "  backup    copy the map to -o FILE while it is in use\n"
             "  rekey     seal everything to --new-restore-key instead of --restore-key\n"
             "  audit     print the audit log, or --verify that it is whole (with the restore key, beyond "
             "doubt)\n"};

struct Options {
    cli::KeyOptions keys;
    std::optional<fs::path> out;
    std::optional<fs::path> new_restore_key;
    std::optional<fs::path> audit_log;
    std::optional<std::string> pseudonym;
    std::optional<std::string> patient_id;
    std::optional<std::string> study_uid;
    std::string issuer;
    std::optional<fs::path> day_shift;
    std::string format = "csv";
    bool verify = false;
};

void declare(cli::Words& words, Options& options)
{
    words.inputs("VERB [FILE...]", "what to do, and with which files");
    options.keys.declare_map(words);
    options.keys.declare_restore_key(words);
    words.option("-o,--out", options.out, "FILE", "where export and backup write");
    words.option("--audit-log", options.audit_log, "FILE", "the log of who saw whom")
        .shows("MAP with the ending .audit.jsonl");
    words.flag("--verify", options.verify, "of audit: say whether the log is whole, do not print it");
    words.option(
        "--new-restore-key", options.new_restore_key, "FILE", "where rekey writes the new private key");

    words.group("Whom");
    words.option("--pseudonym", options.pseudonym, "CODE", "the patient with this code");
    words.option("--patient-id", options.patient_id, "ID", "the patient with this id");
    words.option("--issuer", options.issuer, "NAME", "who issued the ids that name no issuer");
    words.option(
        "--study-uid", options.study_uid, "UID", "the patient of the study with this UID (of the output)");
    words
        .option(
            "--format", options.format, "NAME",
            "of import and export: csv, receiver-json, receiver-json-flat, identity-db, identity-db-ruby, "
            "new-ids, mapper, day-shift, anontrail")
        .shows("csv");
    words.option(
        "--day-shift", options.day_shift, "FILE",
        "of import: the patients' date shifts, from PACSIFIER's day_shift_*.json");
}

const fs::path& out_of(const Options& options)
{
    if (!options.out) {
        throw Error{ErrorKind::Usage, "-o/--out is missing"};
    }
    return *options.out;
}

fs::path audit_path(const Options& options)
{
    return options.audit_log.value_or(pseudonym::default_audit_log(options.keys.map_path()));
}

pseudonym::AuditLog audit_of(
    const Options& options, pseudonym::Map& map, const pseudonym::RestoreKey* restore_key)
{
    const auto path = audit_path(options);
    return {path, map.key(), pseudonym::anchor_in(map, path, restore_key)};
}

std::optional<pseudonym::RestoreKey> restore_key_if_named(const Options& options)
{
    return options.keys.restore_key ? std::optional{options.keys.open_restore_key()} : std::nullopt;
}

void refuse_to_overwrite(const fs::path& path)
{
    if (fs::exists(path)) {
        throw Error{ErrorKind::Output, "cannot make the map", path.string(), "the file exists"};
    }
}

/// The map comes last: where it stands, its keys stand too.
void init(const Options& options, cli::Context& context)
{
    const auto& map = options.keys.map_path();
    const fs::path key_file{options.keys.key_source().where};
    const auto restore_file =
        options.keys.restore_key.value_or(fs::path{map}.replace_extension(".restore.key").string());
    for (const auto& path : {map, key_file, fs::path{restore_file}}) {
        refuse_to_overwrite(path);
    }
    const auto key = pseudonym::Key::generate();
    const auto restore_key = pseudonym::RestoreKey::generate();
    restore_key.write_new(restore_file, options.keys.passphrase());
    key.write_new(key_file);
    pseudonym::Map::create(map, key, restore_key);
    log::info("project key {} is in '{}'", key.id(), key_file.string());
    log::info("the restore key is in '{}': take it off this machine", restore_file);
    context.emit(Record{map}.set("key_id", key.id()));
}

void list(const Options& options, cli::Context& context)
{
    for (const auto& patient : options.keys.open_map().codes()) {
        context.emit(Record{patient.code}.set("number", patient.number));
    }
}

void lookup(const Options& options, cli::Context&)
{
    auto map = options.keys.open_map();
    const auto restore_key = options.keys.open_restore_key();
    auto audit = audit_of(options, map, &restore_key);
    pseudonym::Revealer revealer{map, restore_key, audit, "dpipe-map"};
    std::string found;
    if (options.pseudonym) {
        found = revealer.by_code(*options.pseudonym);
    } else if (options.study_uid) {
        found = revealer.by_study(*options.study_uid);
    } else if (options.patient_id) {
        found = revealer.by_identity({options.issuer, *options.patient_id});
    } else {
        throw Error{ErrorKind::Usage, "say whom: --pseudonym, --patient-id or --study-uid"};
    }
    write_all(STDOUT_FILENO, found + "\n", "stdout");
}

void import(const Options& options, cli::Context& context)
{
    const auto format = pseudonym::format_from(options.format);
    auto map = options.keys.open_map();
    context.require_inputs();
    context.for_each_input([&](const fs::path& file) {
        auto patients = pseudonym::read_patients(format, file, options.issuer);
        if (options.day_shift) {
            add_day_shifts(patients, *options.day_shift);
        }
        const auto counts = map.import(patients);
        return Record{file}
            .set("added", static_cast<std::int64_t>(counts.added))
            .set("known", static_cast<std::int64_t>(counts.known))
            .set("aliases", static_cast<std::int64_t>(counts.aliases));
    });
}

void export_patients(const Options& options, cli::Context& context)
{
    const auto& out = out_of(options);
    const auto format = pseudonym::format_from(options.format);
    auto map = options.keys.open_map();
    const auto restore_key = options.keys.open_restore_key();
    auto audit = audit_of(options, map, &restore_key);
    pseudonym::Revealer revealer{map, restore_key, audit, "dpipe-map"};
    const auto why = "export as " + options.format;
    const auto patients = revealer.all(why);
    const auto studies =
        has_studies(format) ? revealer.all_studies(why) : std::vector<pseudonym::KnownStudy>{};
    write_link_data(format, out, patients, studies);
    context.emit(Record{out}.set("patients", static_cast<std::int64_t>(patients.size())));
}

/// Prints what is wrong; exit 5 where something is.
void report_faults(const std::vector<std::string>& faults, std::string_view of)
{
    for (const auto& fault : faults) {
        log::error("{}", fault);
    }
    if (!faults.empty()) {
        throw Error{ErrorKind::Refused, fmt::format("{} problems in the {}", faults.size(), of)};
    }
}

void check(const Options& options, cli::Context& context)
{
    const auto map = options.keys.open_map();
    const auto restore_key = restore_key_if_named(options);
    report_faults(map.check(restore_key ? &*restore_key : nullptr), "map");
    context.emit(Record{options.keys.map_path()}.set("key_id", map.key_id()));
}

void backup(const Options& options, cli::Context& context)
{
    const auto& out = out_of(options);
    options.keys.open_map().backup(out);
    context.emit(Record{out});
}

/// The new key is on the disk before anything is sealed to it.
void rekey(const Options& options, cli::Context& context)
{
    if (!options.new_restore_key) {
        throw Error{ErrorKind::Usage, "--new-restore-key is missing"};
    }
    auto map = options.keys.open_map();
    const auto old_key = options.keys.open_restore_key();
    const auto new_key = pseudonym::RestoreKey::generate();
    new_key.write_new(*options.new_restore_key, options.keys.passphrase());
    map.rekey(old_key, new_key);
    context.emit(Record{options.keys.map_path()});
}

void audit(const Options& options, cli::Context& context)
{
    const auto path = audit_path(options);
    auto map = options.keys.open_map();
    const auto restore_key = restore_key_if_named(options);
    const auto verdict = audit_of(options, map, restore_key ? &*restore_key : nullptr).verify();
    if (!options.verify && fs::exists(path)) {
        write_all(STDOUT_FILENO, read_text_file(path), "stdout");
    }
    report_faults(verdict.faults, "audit log");
    if (options.verify) {
        context.emit(Record{path}.set("lines", static_cast<std::int64_t>(verdict.lines)));
    }
}

void work(const Options& options, cli::Context& context)
{
    static const std::map<std::string, void (*)(const Options&, cli::Context&)> verbs{
        {"init", init},
        {"list", list},
        {"lookup", lookup},
        {"import", import},
        {"export", export_patients},
        {"check", check},
        {"backup", backup},
        {"rekey", rekey},
        {"audit", audit}};
    context.require_inputs();
    const auto verb = context.next_input().value_or("").string();
    const auto found = verbs.find(verb);
    if (found == verbs.end()) {
        throw Error{ErrorKind::Usage, "unknown verb", verb, "see the list in --help"};
    }
    found->second(options, context);
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
