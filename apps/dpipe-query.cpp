/// \file dpipe-query: asks a node for the series of a cohort, and retrieves exactly those.

#include "cli/command.hpp"
#include "core/csv.hpp"
#include "core/log.hpp"
#include "dicom/dictionary.hpp"
#include "retrieve/info.hpp"
#include "retrieve/runner.hpp"

#include <cerrno>
#include <cstdio>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-query",
    .summary = "Query a node for the series of a CSV cohort, and retrieve exactly those.",
    .usage = "--node AET@HOST:PORT [--save -o DIR] [OPTIONS] COHORT",
    .examples = "  dpipe-query --node PACS@pacs.example.org:104 --aet ME cohort.csv\n"
                "  dpipe-query --node PACS@pacs.example.org:104 --aet ME --save -o raw/ cohort.csv\n"};

struct Options {
    std::optional<net::Node> node;
    fs::path cohort;
    bool save = false;
    bool any_key = false;
    unsigned timeout = 60;
    retrieve::RunSettings run;
};

void declare(cli::Words& words, Options& options)
{
    auto& run = options.run;
    words.inputs("COHORT", "a CSV file: columns are attributes, each row is a query");
    words.option("--queryfile", options.cohort, "FILE", "the cohort, as PACSIFIER has it").hidden = true;
    words.option("--node", options.node, "NODE", "whom to ask: AET@HOST:PORT").required();
    words.option("--aet", run.connection.aet, "AET", "our AE title").shows("DPIPE");
    words.flag("--save", options.save, "retrieve the series that match, below --out");
    words.flag("--info", run.info, "write what is known of each series into FOLDER.csv beside its folder");
    words.out(run.place.root, "the folder to retrieve to").alias("out_directory");
    words
        .option(
            "--layout", run.place.layout, "LAYOUT",
            "folders and names: pacsifier, uid, patient, receiver, or a template")
        .shows("pacsifier");
    words
        .choice(
            "--durability", run.place.durability,
            {{"full", net::Durability::Full}, {"none", net::Durability::None}},
            "say Success once the instance is on the disk; or, for measurements, at once")
        .shows("full");
    words.flag("--allow-any-key", options.any_key, "columns may be any keyword of PS3.6");
    words
        .option(
            "--character-set", run.character_set, "TERM",
            "how to write query values beyond ASCII, as (0008,0005) calls it")
        .shows("ISO_IR 192");
    words.option("--batch-size", run.batch_size, "N", "pause after N series were retrieved")
        .shows("no pause");
    words.option("--batch-wait", run.batch_wait, "SECONDS", "so long").shows("0");
    words.option("--max-retries", run.connection.retries, "N", "tries after the first that bring nothing")
        .shows("3");
    words
        .option(
            "--retry-delay", run.connection.backoff.first, "SECONDS",
            "before the second try; doubles from there, up to 15 minutes")
        .shows("1");
    words.option("--timeout", options.timeout, "SECONDS", "give up a node that is silent for so long")
        .shows("60");
    words.option("--max-pdu", run.connection.max_pdu, "BYTES", "the longest PDU to take, 4096 to 131072")
        .shows("131072");
}

fs::path cohort_of(const Options& options, cli::Context& context)
{
    auto cohort = options.cohort.empty() ? context.next_input() : options.cohort;
    if (!cohort || context.next_input()) {
        throw Error{ErrorKind::Usage, "one cohort is needed"};
    }
    return *cohort;
}

void check(const Options& options)
{
    const auto& run = options.run;
    net::check_aet(run.connection.aet);
    net::check_max_pdu(run.connection.max_pdu);
    if (options.timeout == 0) {
        throw Error{ErrorKind::Usage, "--timeout must be 1 s or more"};
    }
    if ((options.save || run.info) && run.place.root.empty()) {
        throw Error{ErrorKind::Usage, "--save and --info need -o/--out"};
    }
    if (!run.place.root.empty() && !options.save && !run.info) {
        throw Error{ErrorKind::Usage, "-o/--out goes with --save or --info"};
    }
    static_cast<void>(dicom::Layout{run.place.layout});
}

Record record_of(const retrieve::Row& row, const retrieve::FoundSeries& series)
{
    Record record{fs::path{}};
    record.set("row", static_cast<std::int64_t>(row.number));
    for (const auto& [tag, value] : series.attributes) {
        record.set(dicom::dictionary::name_of(tag), value);
    }
    std::string unconfirmed;
    for (const auto& criterion : series.unconfirmed) {
        unconfirmed += (unconfirmed.empty() ? "" : "\\") + dicom::dictionary::name_of(criterion.tag);
    }
    if (!unconfirmed.empty()) {
        record.set("unconfirmed", unconfirmed);
    }
    return record;
}

void print(std::string_view line)
{
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0) {
        if (errno == EPIPE) {
            throw cli::ClosedPipe{};
        }
        throw Error::from_errno(ErrorKind::Output, "cannot write", "stdout");
    }
}

void work(const Options& options, cli::Context& context)
{
    const auto rows = retrieve::read_cohort(cohort_of(options, context), options.any_key);
    check(options);
    auto run = options.run;
    run.connection.node = *options.node;
    run.connection.patience = net::Patience::of(std::chrono::seconds{options.timeout});
    retrieve::check_character_set(rows, run.character_set);
    const bool table = !options.save && !run.info && !context.streams().json;
    const retrieve::Listener listener{
        .on_found =
            [&](const retrieve::Row& row, const retrieve::FoundSeries& series) {
                if (table) {
                    print(std::to_string(row.number) + "," + retrieve::info_line(series));
                } else if (context.streams().json) {
                    context.emit(record_of(row, series));
                }
            },
        .on_result = [&](const Record& record) { context.emit(record); },
        .on_stored = [&](const net::StoredInstance& instance) { context.progress().add(1, instance.bytes); }};
    if (table) {
        print("row," + retrieve::info_header());
    }
    retrieve::Connection connection{run.connection};
    auto method = options.save ? retrieve::make_get(connection, run.place) : nullptr;
    const auto tally = retrieve::run(rows, run, connection, std::move(method), listener);
    log::info(
        "{} rows: {} without a match, {} failed; {} series", tally.rows, tally.empty, tally.failed,
        tally.series);
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
