/// \file dpipe-query: asks a node for the series of a cohort, and retrieves exactly those.

#include "cli/command.hpp"
#include "core/csv.hpp"
#include "core/log.hpp"
#include "dicom/dictionary.hpp"
#include "net/node_book.hpp"
#include "retrieve/info.hpp"
#include "retrieve/runner.hpp"

#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-query",
    .summary = "Query a node for the series of a CSV cohort, and retrieve exactly those.",
    .usage = "--node AET@HOST:PORT [--save -o DIR | --move AET] [OPTIONS] COHORT",
    .examples = "  dpipe-query --node PACS@pacs.example.org:104 --aet ME cohort.csv\n"
                "  dpipe-query --node PACS@pacs.example.org:104 --aet ME --save -o raw/ cohort.csv\n"};

/// The keys of PACSIFIER's configuration file, which --config reads as it is.
struct PacsifierConfig {
    std::string server_address;
    std::string server_aet;
    std::uint16_t port = 0;
    std::string aet;
    std::string move_aet;
};

struct Options {
    std::string node;
    std::optional<fs::path> nodes;
    std::optional<fs::path> report;
    bool dry_run = false;
    fs::path cohort;
    bool save = false;
    bool any_key = false;
    unsigned timeout = 60;
    std::optional<std::uint16_t> move_port;
    retrieve::MoveSettings move;
    std::string move_to;
    PacsifierConfig pacsifier;
    retrieve::RunSettings run;
};

void declare_pacsifier(cli::Words& words, Options& options)
{
    auto& config = options.pacsifier;
    const auto hidden = [&](std::string_view name, auto& target) {
        words.option(name, target, "VALUE", "of PACSIFIER's configuration").hidden = true;
    };
    hidden("--server_address", config.server_address);
    hidden("--port", config.port);
    hidden("--server_AET", config.server_aet);
    hidden("--AET", config.aet);
    hidden("--move_AET", config.move_aet);
    hidden("--move_port", options.move_port);
    hidden("--batch_size", options.run.batch_size);
    hidden("--batch_wait_time", options.run.batch_wait);
    hidden("--queryfile", options.cohort);
}

void declare(cli::Words& words, Options& options)
{
    auto& run = options.run;
    words.inputs("COHORT", "a CSV file: columns are attributes, each row is a query");
    words.option("--node", options.node, "NODE", "whom to ask: AET@HOST:PORT, or a name of --nodes");
    words.option("--nodes", options.nodes, "FILE", "a JSON file of nodes by name, ours or Orthanc's");
    words.option("--aet", run.connection.aet, "AET", "our AE title").shows("DPIPE");
    words.flag("--save", options.save, "retrieve the series that match, below --out");
    words.option(
        "--move-port", options.move_port, "PORT",
        "retrieve by C-MOVE to ourselves on this port, which the node must know, not by C-GET");
    words.option("--bind", options.move.bind, "ADDR", "and listen on this address only")
        .shows("every address");
    words
        .option(
            "--linger", options.move.linger, "SECONDS",
            "and wait so long for instances that come after the node said it was done")
        .shows("10");
    words.option("--move", options.move_to, "AET", "have the node send the series to AET instead");
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
    words.option(
        "--report", options.report, "FILE", "write a CSV line for each series and each row without one");
    words.dry_run(options.dry_run);
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
    declare_pacsifier(words, options);
}

/// The node of --node, or of PACSIFIER's configuration.
net::Node node_of(const Options& options)
{
    const auto& config = options.pacsifier;
    if (!options.node.empty()) {
        return net::resolve_node(options.node, options.nodes);
    }
    if (config.server_address.empty() || config.server_aet.empty() || config.port == 0) {
        throw Error{ErrorKind::Usage, "--node is missing"};
    }
    return net::Node::parse(
        fmt::format("{}@{}", config.server_aet, net::endpoint_text(config.server_address, config.port)));
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
    if (options.save && !options.move_to.empty()) {
        throw Error{ErrorKind::Usage, "--save and --move exclude each other"};
    }
    if (!options.move_to.empty()) {
        net::check_aet(options.move_to);
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

retrieve::Purpose purpose_of(const Options& options, retrieve::Connection& connection)
{
    const auto& place = options.run.place;
    if (!options.save) {
        return {.destination = options.move_to};
    }
    if (options.move_port) {
        auto move = options.move;
        move.port = *options.move_port;
        return {.method = retrieve::make_move(connection, place, std::move(move))};
    }
    return {.method = retrieve::make_get(connection, place)};
}

/// A dry run lists what would be retrieved.
Options without_deeds(Options options)
{
    options.save = false;
    options.move_to.clear();
    options.run.info = false;
    return options;
}

void work(const Options& given, cli::Context& context)
{
    const auto options = given.dry_run ? without_deeds(given) : given;
    const auto rows = retrieve::read_cohort(cohort_of(options, context), options.any_key);
    check(given);
    auto run = options.run;
    run.connection.node = node_of(options);
    if (!options.pacsifier.aet.empty()) {
        run.connection.aet = options.pacsifier.aet;
    }
    run.connection.patience = net::Patience::of(std::chrono::seconds{options.timeout});
    retrieve::check_character_set(rows, run.character_set);
    const bool listing = !options.save && options.move_to.empty();
    const bool table = listing && !run.info && !context.streams().json;
    retrieve::Listener listener{
        .on_found =
            [&](const retrieve::Row& row, const retrieve::FoundSeries& series) {
                if (table) {
                    print(std::to_string(row.number) + "," + retrieve::info_line(series));
                } else if (context.streams().json) {
                    auto record = record_of(row, series);
                    if (given.dry_run) {
                        record.set("dry_run", true);
                    }
                    context.emit(record);
                }
            },
        .on_result = [&](const Record& record) { context.emit(record); },
        .on_stored = [&](const net::StoredInstance& instance) { context.progress().add(1, instance.bytes); }};
    if (table) {
        print("row," + retrieve::info_header());
    }
    std::optional<retrieve::Report> report;
    if (options.report) {
        listener.report = &report.emplace(*options.report);
    }
    retrieve::Connection connection{run.connection};
    const auto tally = retrieve::run(rows, run, connection, purpose_of(options, connection), listener);
    log::info(
        "{} rows: {} without a match, {} failed; {} series", tally.rows, tally.empty, tally.failed,
        tally.series);
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
