/// \file dpipe-query: asks a node for the series of a cohort, and retrieves exactly those.

#include "cli/command.hpp"
#include "cli/found_list.hpp"
#include "core/log.hpp"
#include "net/node_book.hpp"
#include "retrieve/purpose.hpp"

#include <algorithm>

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
    std::optional<std::string> aet;
    std::string move_aet;
};

struct Options {
    std::string node;
    std::optional<fs::path> nodes;
    std::vector<fs::path> reports;
    bool dry_run = false;
    fs::path cohort;
    bool studies = false;
    bool save = false;
    bool any_key = false;
    retrieve::NameMode names = retrieve::NameMode::AsGiven;
    bool resume = false;
    bool retry_failed = false;
    bool relational = false;
    unsigned timeout = 60;
    cli::Size max_rate;
    std::optional<std::uint16_t> move_port;
    std::optional<std::string> move_to;
    std::optional<fs::path> info_dir;
    std::optional<std::string> profile;
    retrieve::Profile ways; ///< what options say of it
    bool tls = false;
    net::TlsFiles tls_files;
    retrieve::MoveSettings move;
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

void declare_query(cli::Words& words, Options& options)
{
    auto& run = options.run;
    words.inputs("COHORT", "a CSV file: columns are attributes, each row is a query");
    words.flag("--studies", options.studies, "COHORT is a list of Study Instance UIDs, a line each");
    words.option("--node", options.node, "NODE", "whom to ask: AET@HOST:PORT, or a name of --nodes");
    words.option("--nodes", options.nodes, "FILE", "a JSON file of nodes by name, ours or Orthanc's");
    words.option("--aet", run.connection.aet, "AET", "our AE title").shows("DPIPE");
    words.flag("--allow-any-key", options.any_key, "columns may be any keyword of PS3.6");
    words
        .choice(
            "--name-mode", options.names,
            {{"as-given", retrieve::NameMode::AsGiven}, {"pacsifier", retrieve::NameMode::Pacsifier}},
            "ask for names as they are; or for the last word in capitals, after anything")
        .shows("as-given");
    words
        .choice(
            "--level", run.level,
            {{"study", retrieve::Level::Study},
             {"series", retrieve::Level::Series},
             {"image", retrieve::Level::Image}},
            "what to list, where nothing is retrieved")
        .shows("series");
    words
        .option(
            "--character-set", options.ways.character_set, "TERM",
            "how to write query values beyond ASCII, as (0008,0005) calls it")
        .shows("ISO_IR 192");
    words.option(
        "--answer-character-set", options.ways.answer_character_set, "TERM",
        "how to read answers that name no character set");
    words.option(
        "--max-answers", options.ways.most_answers, "N",
        "the node gives no more answers than that to a query: ask by date");
    words.flag(
        "--relational", options.relational,
        "ask for series at once where the node agrees to relational queries");
    words.option(
        "--profile", options.profile, "NAME|FILE", "ways of the node: carestream-chuv, or a JSON file");
}

void declare_retrieval(cli::Words& words, Options& options)
{
    auto& run = options.run;
    words.group("Retrieval");
    words.flag("--save", options.save, "retrieve the series that match, below --out");
    words.out(run.place.root, "the folder to retrieve to").alias("out_directory");
    words.option(
        "--move-port", options.move_port, "PORT",
        "retrieve by C-MOVE to ourselves on this port, which the node must know, not by C-GET");
    words.option("--bind", options.move.bind, "ADDR", "and listen on this address only")
        .shows("every address");
    words
        .option(
            "--linger", options.ways.linger, "SECONDS",
            "and wait so long for instances that come after the node said it was done")
        .shows("10");
    words
        .option(
            "--move", options.move_to, "AET",
            "have the node send the series to AET instead, or to PACSIFIER's move_AET")
        .or_alone();
    words
        .option(
            "--layout", run.place.layout, "LAYOUT",
            "folders and names: pacsifier, uid, patient, receiver, or a template")
        .shows("pacsifier");
    words.option(
        "--aside", run.place.aside, "DIR",
        "keep what the node sends and nobody asked for, on the same file system, instead of refusing it");
    words
        .choice(
            "--durability", run.place.durability,
            {{"full", net::Durability::Full}, {"none", net::Durability::None}},
            "say Success once the instance is on the disk; or, for measurements, at once")
        .shows("full");
    words.flag("--info", run.info, "write what is known of each series into FOLDER.csv beside its folder");
    words.option("--info-dir", options.info_dir, "DIR", "or at the same place below DIR");
    words.option(
        "--report", options.reports, "FILE",
        "write a line for each series and each row without one: CSV, or JSON where FILE ends in .json");
    words.dry_run(options.dry_run);
    words.flag("--resume", options.resume, "leave out rows that were done before, without asking the node");
    words.flag("--retry-failed", options.retry_failed, "ask only for rows that failed before");
    words.option("--journal", run.journal, "FILE", "what was done before").shows(".dpipe-query.db in --out");
}

void declare_pace(cli::Words& words, Options& options)
{
    auto& run = options.run;
    words.group("Pace");
    words.option("--max", run.most, "N", "end after N series: the same command goes on").shows("all");
    words.option("--parallel", options.ways.parallel, "N", "associations at once, for C-GET and --move")
        .shows("1");
    words.option("--batch-size", run.batch_size, "N", "pause after N series were retrieved")
        .shows("no pause");
    words.option("--batch-wait", run.batch_wait, "SECONDS", "so long").shows("0");
    words.option("--gap", options.ways.gap, "SECONDS", "from one request to the next, at least").shows("0");
    words.option("--max-rate", options.max_rate, "SIZE", "bytes a second, on the average (K, M, G)")
        .shows("no limit");
    words.option(
        "--window", run.windows, "TIMES",
        "begin rows and series only then, as the clock here says: 20:00-06:00, 'sat,sun 0:00-24:00'");
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

void declare(cli::Words& words, Options& options)
{
    declare_query(words, options);
    declare_retrieval(words, options);
    declare_pace(words, options);
    words.group("Encryption");
    words.flag("--tls", options.tls, "encrypt associations, TLS 1.2 or 1.3 (BCP 195)");
    words.option("--tls-cert", options.tls_files.certificate, "FILE", "our certificate and its chain, PEM");
    words.option("--tls-key", options.tls_files.key, "FILE", "its key, PEM, not encrypted");
    words
        .option(
            "--tls-ca", options.tls_files.authorities, "FILE", "who vouches for the node, PEM certificates")
        .shows("those of the machine");
    words.group("Options");
    declare_pacsifier(words, options);
}

/// The node of --node, or of PACSIFIER's configuration.
net::Node node_of(const Options& options)
{
    const auto& config = options.pacsifier;
    if (!options.node.empty()) {
        return net::resolve_node(options.node, options.nodes);
    }
    if (config.server_address.empty() && config.server_aet.empty()) {
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
    const auto refuse = [](const char* reason) { throw Error{ErrorKind::Usage, reason}; };
    net::check_aet(run.connection.aet);
    net::check_max_pdu(run.connection.max_pdu);
    if (options.timeout == 0) {
        refuse("--timeout must be 1 s or more");
    }
    if (options.save && options.move_to) {
        refuse("--save and --move exclude each other");
    }
    if (options.move_to) {
        net::check_aet(*options.move_to);
    }
    if ((options.save || (run.info && !options.info_dir)) && run.place.root.empty()) {
        refuse("--save and --info need -o/--out");
    }
    if (!run.place.root.empty() && !options.save && !run.info) {
        refuse("-o/--out goes with --save or --info");
    }
    if (run.level != retrieve::Level::Series && (options.save || options.move_to || run.info)) {
        refuse("--level is for lists");
    }
    if (options.resume && options.retry_failed) {
        refuse("--resume and --retry-failed exclude each other");
    }
    if ((options.resume || options.retry_failed) && !run.journal && !options.save) {
        refuse("--resume and --retry-failed need --save, or --move and --journal");
    }
    const auto& files = options.tls_files;
    if (!options.tls && (files.certificate || files.key || files.authorities)) {
        refuse("--tls-cert, --tls-key and --tls-ca need --tls");
    }
    static_cast<void>(dicom::Layout{run.place.layout});
}

/// A dry run lists what would be retrieved.
Options without_deeds(Options options)
{
    options.save = false;
    options.move_to.reset();
    options.run.info = false;
    options.run.journal.reset();
    return options;
}

/// The words of PACSIFIER and ours, in one.
Options settled(Options options)
{
    auto& run = options.run;
    run.connection.aet = options.pacsifier.aet.value_or(run.connection.aet);
    if (options.move_to && options.move_to->empty()) {
        options.move_to = options.pacsifier.move_aet;
    }
    run.info = run.info || options.info_dir;
    run.info_root = options.info_dir.value_or(run.place.root);
    if (options.save && !run.journal) {
        run.journal = run.place.root / ".dpipe-query.db";
    }
    run.rows = options.resume         ? retrieve::Rows::NotDone
               : options.retry_failed ? retrieve::Rows::Failed
                                      : retrieve::Rows::All;
    return options;
}

retrieve::Profile profile_of(const Options& options, const net::Node& node)
{
    std::optional<retrieve::Profile> known;
    if (options.profile) {
        known = retrieve::read_profile(*options.profile);
    } else if (options.nodes) {
        known = retrieve::profile_of_node(*options.nodes, options.node, node.aet);
    }
    return known ? merged(options.ways, *known) : options.ways;
}

std::shared_ptr<const net::TlsContext> tls_from(const Options& options, net::TlsContext::Side side)
{
    return options.tls ? std::make_shared<net::TlsContext>(side, options.tls_files) : nullptr;
}

retrieve::Purpose purpose_of(
    const Options& options, const retrieve::Profile& profile, const retrieve::RunSettings& run)
{
    if (options.move_to) {
        return to_forward(run.connection, run.journal, *options.move_to);
    }
    if (!options.save) {
        return {};
    }
    retrieve::SaveSettings save{
        .connection = run.connection, .place = run.place, .journal = *run.journal, .move = options.move};
    save.move.port = options.move_port.value_or(0);
    adopt(profile, save);
    const bool moves = save.operations.back() == retrieve::Operation::Move ||
                       save.operations.front() == retrieve::Operation::Move;
    if (moves && run.parallel > 1) {
        throw Error{
            ErrorKind::Usage, "--parallel is for C-GET and --move: one port takes one C-MOVE at a time"};
    }
    if (moves) {
        save.move.tls = tls_from(options, net::TlsContext::Side::Acceptor);
    }
    const auto workers = std::max(run.parallel - 1, 1U);
    save.fetch.bytes_a_second = static_cast<double>(options.max_rate.bytes) / workers;
    return to_save(std::move(save));
}

std::vector<retrieve::Row> rows_of(const Options& options, cli::Context& context)
{
    const auto cohort = cohort_of(options, context);
    return options.studies ? retrieve::read_studies(cohort)
                           : retrieve::read_cohort(cohort, options.any_key, options.names);
}

void work(const Options& given, cli::Context& context)
{
    const auto rows = rows_of(given, context);
    check(settled(given));
    const auto options = given.dry_run ? without_deeds(settled(given)) : settled(given);
    auto run = options.run;
    run.connection.node = node_of(options);
    run.connection.patience = net::Patience::of(std::chrono::seconds{options.timeout});
    run.connection.tls = tls_from(options, net::TlsContext::Side::Requestor);
    const auto profile = profile_of(options, run.connection.node);
    run.find.ask_for_relational = options.relational;
    adopt(profile, run);
    retrieve::check_character_set(rows, run.find.character_set);
    const auto purpose = purpose_of(options, profile, run);
    const cli::FoundList list{context, run.level == retrieve::Level::Image, given.dry_run};
    const bool listing = !purpose.make && (!run.info || context.streams().json);
    std::vector<retrieve::Report> reports;
    for (const auto& path : options.reports) {
        reports.emplace_back(path);
    }
    const retrieve::Listener listener{
        .on_found =
            [&](const retrieve::Row& row, const retrieve::FoundSeries& series) {
                if (listing) {
                    list.add(row, series);
                }
            },
        .on_result = [&](const Record& record) { context.emit(record); },
        .on_stored = [&](const net::StoredInstance& instance) { context.progress().add(1, instance.bytes); },
        .reports = &reports};
    if (listing) {
        list.begin();
    }
    const auto tally = retrieve::run(rows, run, purpose, listener);
    log::info(
        "{} rows: {} without a match, {} failed, {} left out; {} series", tally.rows, tally.empty,
        tally.failed, tally.left, tally.series);
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
