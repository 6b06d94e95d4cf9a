/// \file dpipe-restore: give de-identified instances their identity back, for who holds the key.

#include "cli/command.hpp"
#include "cli/key_options.hpp"
#include "core/output_file.hpp"
#include "deid/encrypted_attributes.hpp"
#include "deid/foreign_map.hpp"
#include "deid/restore_batch.hpp"
#include "pseudonym/json_filter.hpp"

#include <iostream>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-restore",
    .summary = "Give de-identified instances their identity back.",
    .usage = "(-m MAP --restore-key KEY | --cms-key KEY | --map-file FILE) -o DIR INPUT...",
    .examples =
        "  dpipe-restore -m link.db --restore-key link.restore.key -o restored/ anon/sub-001/\n"
        "  dpipe-restore --cms-key reader.key --cms-cert reader.pem -o restored/ anon/\n"
        "  dpipe-restore --map-file patient_info_map.json -o restored/ anonymized.dcm\n"
        "  curl -s $URL/results | dpipe-restore --filter-json -m link.db --restore-key link.restore.key\n"};

struct Options {
    cli::KeyOptions keys;
    std::optional<fs::path> cms_key;
    fs::path cms_cert;
    std::optional<fs::path> map_file;
    std::optional<fs::path> audit_log;
    bool filter_json = false;
    std::string layout = "patient";
    deid::RestoreOptions restore;
};

void declare(cli::Words& words, Options& options)
{
    using deid::RestoreLevel;
    words.inputs("INPUT...", "files and folders to restore; '-' reads their names from stdin");
    words.out(options.restore.out, "write results below DIR");
    words.option("--layout", options.layout, "NAME|TEMPLATE", "where a result stands below DIR")
        .shows("patient");
    words
        .choice(
            "--level", options.restore.level,
            {{"identity", RestoreLevel::Identity}, {"full", RestoreLevel::Full}},
            "put back patient, UIDs and dates, or every attribute")
        .shows("identity");
    words.flag(
        "--filter-json", options.filter_json,
        "put originals into the JSON values on stdin, one a line on stdout");
    words.overwrite(options.restore.overwrite);
    words.dry_run(options.restore.dry_run);

    words.group("Where the originals are");
    options.keys.declare_map(words);
    options.keys.declare_restore_key(words);
    words.option(
        "--cms-key", options.cms_key, "FILE", "the private key for Encrypted Attributes (0400,0500)");
    words.option("--cms-cert", options.cms_cert, "FILE", "the certificate it belongs to");
    words.option(
        "--map-file", options.map_file, "FILE",
        "the DICOM Receiver's patient_info_map.json, or an identity.db");
    words.option("--audit-log", options.audit_log, "FILE", "the log of who saw whom")
        .shows("MAP with the ending .audit.jsonl; without the map's originals DIR.audit.jsonl");
}

std::optional<pseudonym::Key> project_key_if_named(const Options& options)
{
    return options.keys.map || options.keys.key_file ? std::optional<pseudonym::Key>{options.keys.key()}
                                                     : std::nullopt;
}

/// What is not in a map of ours may have no project key either: its audit log is then chained under a key
/// that everybody knows, which shows accidents but no forger.
pseudonym::AuditLog log_beside_output(
    const Options& options, const std::optional<pseudonym::Key>& project_key)
{
    const auto beside_out = fs::path{options.restore.out / ""}.parent_path() += ".audit.jsonl";
    return {options.audit_log.value_or(beside_out), project_key ? *project_key : pseudonym::Key{{}}};
}

/// Notes each study once, before anything of it is shown.
deid::Recall noted(deid::Recall recall, pseudonym::AuditLog& audit)
{
    return [recall = std::move(recall), &audit](const dicom::Instance& instance) {
        auto originals = recall(instance);
        if (originals) {
            audit.append_once("dpipe-restore", "restore", {std::string{instance.study_uid()}});
        }
        return originals;
    };
}

void restore_files(const Options& options, const deid::Recall& recall, cli::Context& context)
{
    context.require_inputs();
    if (options.restore.out.empty()) {
        throw Error{ErrorKind::Usage, "-o/--out is missing"};
    }
    auto restore = options.restore;
    restore.layout = dicom::Layout{options.layout};
    restore_batch(
        restore, recall,
        {.next_input = [&] { return context.next_input(); },
         .input_is_ready = [&] { return context.input_is_ready(); },
         .emit = [&](const Record& record) { context.emit(record); },
         .fail = [&](const fs::path& path, const Error& error,
                     Status status) { context.fail(path, error, status); },
         .progress = [&](auto items, auto bytes) { context.progress().add(items, bytes); }});
}

void filter_json(pseudonym::Revealer& revealer)
{
    for (std::string restored; restore_json(std::cin, revealer, restored);) {
        write_all(STDOUT_FILENO, restored + "\n", "stdout");
    }
}

void work(const Options& options, cli::Context& context)
{
    if (options.filter_json && (options.cms_key || options.map_file)) {
        throw Error{ErrorKind::Usage, "--filter-json works with -m/--map alone"};
    }
    if (options.cms_key) {
        const deid::CmsKey key{*options.cms_key, options.cms_cert};
        const auto project_key = project_key_if_named(options);
        auto audit = log_beside_output(options, project_key);
        const deid::Recall recall = [&](const dicom::Instance& instance) {
            return decrypted_originals(instance, key, project_key ? &*project_key : nullptr);
        };
        return restore_files(options, noted(recall, audit), context);
    }
    if (options.map_file) {
        auto audit = log_beside_output(options, project_key_if_named(options));
        const deid::ForeignMap map{*options.map_file};
        const deid::Recall recall = [&](const dicom::Instance& instance) { return map.recall(instance); };
        return restore_files(options, noted(recall, audit), context);
    }
    auto map = options.keys.open_map();
    const auto restore_key = options.keys.open_restore_key();
    const auto log = options.audit_log.value_or(pseudonym::default_audit_log(options.keys.map_path()));
    pseudonym::AuditLog audit{log, map.key(), anchor_in(map, log, &restore_key)};
    pseudonym::Revealer revealer{map, restore_key, audit, "dpipe-restore"};
    if (options.filter_json) {
        return filter_json(revealer);
    }
    const deid::Recall recall = [&](const dicom::Instance& instance) {
        return revealer.originals(instance.instance_uid(), instance.study_uid());
    };
    restore_files(options, recall, context);
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
