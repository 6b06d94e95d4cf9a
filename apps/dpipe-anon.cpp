/// \file dpipe-anon: de-identify instances by PS3.15 Annex E, and remember in the link map what was taken.

#include "cli/command.hpp"
#include "cli/key_options.hpp"
#include "core/files.hpp"
#include "core/output_file.hpp"
#include "deid/batch.hpp"
#include "deid/inventory.hpp"

#include <array>
#include <cstdio>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-anon",
    .summary = "De-identify instances by DICOM PS3.15 Annex E.",
    .usage = "-m MAP -o DIR [-p PROFILE] [OPTIONS] INPUT...",
    .examples =
        "  dpipe-anon -m link.db -o anon/ incoming/*/\n"
        "  dpipe-anon -m link.db -o anon/ --retain-longitudinal-modified-dates --clean-descriptors raw/\n"
        "  dpipe-watch incoming/ | dpipe-anon -m link.db -o anon/ - | dpipe-zip -o zips/ -\n"};

struct Options {
    cli::KeyOptions keys;
    std::string profile = "basic";
    std::array<bool, 16> retain_and_clean{}; ///< one an entry of deid::option_names()
    deid::Residual residual = deid::Residual::Header;
    std::optional<fs::path> new_ids;
    std::optional<fs::path> day_shift;
    std::vector<fs::path> encrypt_to;
    deid::CmsForm cms;
    std::optional<fs::path> report;
    std::optional<fs::path> quarantine;
    std::optional<std::string> explain;
    std::string sop_class;
    bool inventory = false;
    std::string layout = "patient";
    deid::BatchOptions batch;
};

void declare(cli::Words& words, Options& options)
{
    using deid::Residual;
    words.inputs("INPUT...", "files and folders to de-identify; '-' reads their names from stdin");
    options.keys.declare_map(words);
    words.out(options.batch.out, "write results below DIR");
    words.option("--layout", options.layout, "NAME|TEMPLATE", "where a result stands below DIR")
        .shows("patient");
    words.flag(
        "--in-place", options.batch.in_place, "write each result beside its input, then remove the input");
    words.jobs(options.batch.jobs).shows("0");
    words.overwrite(options.batch.overwrite);
    words.dry_run(options.batch.dry_run);

    words.group("De-identification");
    words.option("-p,--profile", options.profile, "NAME|FILE", "a built-in profile, or a JSON file")
        .shows("basic");
    for (std::size_t i = 0; const auto& option : deid::option_names()) {
        words.flag(
            "--" + std::string{option.name}, options.retain_and_clean.at(i++),
            "PS3.15 " + std::string{option.meaning});
    }
    words
        .choice(
            "--residual", options.residual,
            {{"off", Residual::Off}, {"header", Residual::Header}, {"full", Residual::Full}},
            "search what stays for the patient's own values: not, all but bulk data, or all")
        .shows("header");
    words.option("--new-ids", options.new_ids, "FILE", "patients' codes from a JSON file {\"id\": \"code\"}");
    words.option(
        "--day-shift", options.day_shift, "FILE", "patients' date shifts from a JSON file {\"id\": days}");

    words.option(
        "--encrypt-to", options.encrypt_to, "CERT",
        "seal what is taken into each instance for CERT; repeatable");
    words.flag("--cms-oaep", options.cms.oaep, "seal with RSA-OAEP: stronger, beyond what PS3.15 names");
    words.flag(
        "--cms-gcm", options.cms.gcm, "seal with AES-256-GCM: shows tampering, beyond what PS3.15 names");
    words.flag("--allow-expired", options.cms.allow_expired, "use certificates that have expired");

    words.group("What was done, and would be");
    words.option("--report", options.report, "FILE", "write counts and reasons, without identity, as JSON");
    words.option("--quarantine", options.quarantine, "FILE", "list what has no result, a line of JSON each")
        .shows("DIR.quarantine.jsonl");
    words.flag(
        "--inventory", options.inventory,
        "list what attributes the inputs have and what would happen to them");
    words.option("--explain", options.explain, "TAG", "say what happens to an attribute, and why; then stop");
    words.option("--sop-class", options.sop_class, "UID", "of the instance that --explain speaks of");
}

deid::Rules rules_of(const Options& options)
{
    auto profile = deid::load_profile(options.profile);
    for (std::size_t i = 0; const auto& option : deid::option_names()) {
        if (options.retain_and_clean.at(i++)) {
            add_option(profile, option.option);
        }
    }
    return deid::Rules{std::move(profile)};
}

/// What leads back to a patient never travels with the data.
void refuse_link_data_in_output(const Options& options)
{
    for (const auto& path : {options.keys.map_path(), fs::path{options.keys.key_source().where}}) {
        if (!options.batch.in_place && is_below(path, options.batch.out)) {
            throw Error{
                ErrorKind::Refused, "cannot use", path.string(),
                "it would stand in the output folder, beside the data that it identifies"};
        }
    }
}

void require_words(const Options& options, const cli::Context& context)
{
    context.require_inputs();
    if (options.batch.out.empty() != options.batch.in_place) {
        throw Error{ErrorKind::Usage, "give either -o/--out or --in-place"};
    }
}

void print(std::string_view text)
{
    write_all(STDOUT_FILENO, text, "stdout");
}

void take_inventory(const deid::Rules& rules, cli::Context& context)
{
    context.require_inputs();
    deid::Inventory inventory{rules};
    context.visit_files([&](const fs::path& file) { inventory.add(dicom::Instance::open(file)); });
    print(inventory.json_lines());
}

/// Beside the output, not below it: it names inputs.
void list_kept_back(const Options& options, const deid::Report& report)
{
    const auto path =
        options.quarantine.value_or(fs::path{options.batch.out / ""}.parent_path() += ".quarantine.jsonl");
    const auto lines = report.kept_back();
    if (!lines.empty() || fs::exists(path)) {
        write_text_file(path, lines, 0600);
    }
}

void de_identify(const Options& options, deid::Rules rules, cli::Context& context)
{
    require_words(options, context);
    refuse_link_data_in_output(options);
    // Before the key is read and before there are threads.
    const auto codecs = std::make_shared<const deid::CodecHost>();
    auto batch = options.batch;
    batch.layout = dicom::Layout{options.layout};
    if (options.new_ids) {
        batch.codes.add_codes(*options.new_ids);
    }
    if (options.day_shift) {
        batch.codes.add_day_shifts(*options.day_shift);
    }
    const auto key = options.keys.key();
    auto map = pseudonym::Map::open(options.keys.map_path(), key);
    const auto recipients =
        options.encrypt_to.empty()
            ? nullptr
            : std::make_shared<const deid::CmsRecipients>(options.encrypt_to, options.cms);
    const deid::Anonymizer anonymizer{std::move(rules), key, options.residual, recipients, codecs};
    const auto report = run_batch(
        batch, anonymizer, map,
        {.next_input = [&] { return context.next_input(); },
         .input_is_ready = [&] { return context.input_is_ready(); },
         .emit = [&](const Record& record) { context.emit(record); },
         .fail = [&](const fs::path& path, const Error& error,
                     Status status) { context.fail(path, error, status); },
         .progress = [&](auto items, auto bytes) { context.progress().add(items, bytes); }});
    if (!batch.dry_run && (options.quarantine || !batch.in_place)) {
        list_kept_back(options, report);
    }
    if (options.report) {
        write_text_file(*options.report, report.json(anonymizer.rules().profile(), map.key_id()));
    }
}

void work(const Options& options, cli::Context& context)
{
    auto rules = rules_of(options);
    if (options.explain) {
        print(rules.explain(*options.explain, options.sop_class) + "\n");
    } else if (options.inventory) {
        take_inventory(std::move(rules), context);
    } else {
        de_identify(options, std::move(rules), context);
    }
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
