/// \file dpipe-receive: takes instances from modalities and archives, stores each durably, prints its path.

#include "cli/command.hpp"
#include "core/event_loop.hpp"
#include "core/hangup.hpp"
#include "core/log.hpp"
#include "core/output_queue.hpp"
#include "core/service_notify.hpp"
#include "core/stop.hpp"
#include "net/counters.hpp"
#include "net/event_log.hpp"
#include "net/node.hpp"
#include "net/node_book.hpp"
#include "net/receiver.hpp"
#include "net/store_folder.hpp"

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;
using namespace std::chrono_literals;

constexpr cli::About about{
    .name = "dpipe-receive",
    .summary = "Receive instances by C-STORE, store each durably and print its path.",
    .usage = "-o DIR [OPTIONS]",
    .examples = "  dpipe-receive -o incoming/\n"
                "  dpipe-receive --aet RESEARCH --port 104 --bind 10.0.0.5 -o incoming/ --json\n"
                "  dpipe-receive --port 0 -o incoming/ --layout '{StudyDate}/{SOPInstanceUID}.dcm'\n"};

struct Options {
    fs::path out;
    std::string aet = "DICOMRCV";
    std::uint16_t port = 11112;
    std::string bind;
    std::string layout = "uid";
    net::Durability durability = net::Durability::Full;
    net::Duplicates duplicates = net::Duplicates::KeepIfIdentical;
    unsigned timeout = 60;
    std::optional<unsigned> acse_timeout;
    std::optional<unsigned> dimse_timeout;
    unsigned min_rate = 1024;
    unsigned max_time = 0;
    std::uint32_t max_pdu = net::default_max_pdu;
    std::optional<fs::path> nodes;
    std::vector<std::string> allow_aets;
    std::vector<net::Network> allow_from;
    std::optional<fs::path> users;
    bool check_called = false;
    std::vector<std::string> accept_sop;
    std::vector<std::string> accept_syntax;
    bool tls = false;
    net::TlsFiles tls_files;
    std::optional<fs::path> events;
    std::optional<fs::path> counters;
    net::Limits limits;
    cli::Size max_memory{512ULL << 20U};
    cli::Size max_object{4ULL << 30U};
    cli::Size min_free{256ULL << 20U};
    std::uint64_t min_free_files = 1000;
};

void declare_access(cli::Words& words, Options& options)
{
    words.group("Who may send what");
    words.option("--nodes", options.nodes, "FILE", "only the nodes that FILE names, each with its rights")
        .shows("everybody");
    words.option("--allow-aet", options.allow_aets, "AET", "only this calling AE title; may be repeated");
    words.option(
        "--allow-from", options.allow_from, "CIDR",
        "only from these addresses (10.1.0.0/16); may be repeated");
    words.option(
        "--users", options.users, "FILE", "only users that FILE names, with their passcodes (user:passcode)");
    words.flag("--check-called", options.check_called, "only who calls us by our AE title");
    words.option(
        "--accept-sop", options.accept_sop, "UID", "only this SOP class, by UID or name; may be repeated");
    words.option(
        "--accept-syntax", options.accept_syntax, "UID",
        "only this transfer syntax, by UID or name; may be repeated");
}

void declare_tls(cli::Words& words, Options& options)
{
    words.group("TLS");
    words.flag("--tls", options.tls, "take encrypted connections only, TLS 1.2 or 1.3 (BCP 195)");
    words.option("--tls-cert", options.tls_files.certificate, "FILE", "our certificate and its chain, PEM");
    words.option("--tls-key", options.tls_files.key, "FILE", "its key, PEM, not encrypted");
    words.option(
        "--tls-ca", options.tls_files.authorities, "FILE",
        "only peers whose certificate one of these has signed, PEM");
}

void declare_limits(cli::Words& words, Options& options)
{
    words.group("Limits (0: none)");
    words.option("--max-associations", options.limits.associations, "COUNT", "associations at once")
        .shows("256")
        .alias("max-connections");
    words.option("--max-per-address", options.limits.per_address, "COUNT", "associations from one address")
        .shows("128");
    words.option("--max-per-aet", options.limits.per_aet, "COUNT", "associations of one calling AE title")
        .shows("0");
    words.option("--max-instances", options.limits.instances, "COUNT", "instances on one association")
        .shows("0");
    words.option("--max-object", options.max_object, "SIZE", "the longest data set").shows("4G");
    words.option("--max-memory", options.max_memory, "SIZE", "what an association's process may need")
        .shows("512M");
    words.option("--min-free", options.min_free, "SIZE", "refuse while less room is left below DIR")
        .shows("256M");
    words.option("--min-free-files", options.min_free_files, "COUNT", "or room for fewer files")
        .shows("1000");
    words.option("--timeout", options.timeout, "SECONDS", "end an association that is silent for so long")
        .shows("60");
    words.option("--acse-timeout", options.acse_timeout, "SECONDS", "what asking for an association may take")
        .shows("as --timeout, 30 at most");
    words
        .option(
            "--dimse-timeout", options.dimse_timeout, "SECONDS",
            "what a message may take, besides its length")
        .shows("as --timeout");
    words.option("--min-rate", options.min_rate, "BYTES", "what of a message must come in a second")
        .shows("1024");
    words.option("--max-time", options.max_time, "SECONDS", "what an association may last").shows("0");
}

void declare(cli::Words& words, Options& options)
{
    words.out(options.out, "the folder to store below").required();
    words.option("--aet", options.aet, "AET", "our AE title").shows("DICOMRCV");
    words.option("--port", options.port, "PORT", "the TCP port; 0 takes a free one and says which")
        .shows("11112");
    words.option("--bind", options.bind, "ADDR", "listen on this address only, IPv4 or IPv6")
        .shows("every address");
    words
        .option(
            "--layout", options.layout, "LAYOUT", "folders and names: uid, patient, receiver, or a template")
        .shows("uid");
    words
        .choice(
            "--durability", options.durability,
            {{"full", net::Durability::Full},
             {"ext4", net::Durability::Ext4},
             {"none", net::Durability::None}},
            "say Success once the instance is on the disk; with fewer flushes where ext4 allows; or, for "
            "measurements, at once")
        .shows("full");
    words
        .choice(
            "--duplicates", options.duplicates,
            {{"keep-if-identical", net::Duplicates::KeepIfIdentical},
             {"version", net::Duplicates::Version},
             {"keep-first", net::Duplicates::KeepFirst},
             {"replace", net::Duplicates::Replace},
             {"reject", net::Duplicates::Reject}},
            "what becomes of an instance that comes again")
        .shows("keep-if-identical");
    words.option("--max-pdu", options.max_pdu, "BYTES", "the longest PDU to take, 4096 to 131072")
        .shows("131072");
    words.option(
        "--events", options.events, "FILE|FD", "append what happens to FILE, or a descriptor, as JSON lines");
    words.option("--counters", options.counters, "FILE", "keep sums of it in FILE, for Prometheus");
    declare_access(words, options);
    declare_tls(words, options);
    declare_limits(words, options);
}

void check(const Options& options)
{
    net::check_aet(options.aet);
    net::check_max_pdu(options.max_pdu);
    if (options.timeout == 0 || options.acse_timeout == 0U || options.dimse_timeout == 0U) {
        throw Error{ErrorKind::Usage, "a timeout must be 1 s or more"};
    }
    const auto& files = options.tls_files;
    if (!options.tls && (files.certificate || files.key || files.authorities)) {
        throw Error{ErrorKind::Usage, "--tls-cert, --tls-key and --tls-ca need --tls"};
    }
    for (const auto& aet : options.allow_aets) {
        net::check_aet(aet);
    }
}

net::AccessList access_from(const Options& options)
{
    net::AccessList access{.networks = options.allow_from, .aets = options.allow_aets};
    if (options.nodes) {
        access.nodes = net::read_nodes_file(*options.nodes);
    }
    return access;
}

std::optional<net::Users> users_from(const Options& options)
{
    return options.users ? std::optional{net::Users::from_file(*options.users)} : std::nullopt;
}

net::StoragePolicy policy_from(const Options& options)
{
    net::StoragePolicy policy;
    for (const auto& text : options.accept_sop) {
        policy.classes.push_back(net::uid_from(text));
    }
    for (const auto& text : options.accept_syntax) {
        policy.syntaxes.push_back(net::uid_from(text));
    }
    return policy;
}

std::shared_ptr<const net::TlsContext> tls_from(const Options& options)
{
    if (!options.tls) {
        return nullptr;
    }
    return std::make_shared<net::TlsContext>(net::TlsContext::Side::Acceptor, options.tls_files);
}

/// For associations that we make, with the same files.
std::shared_ptr<const net::TlsContext> tls_out_from(const Options& options)
{
    if (!options.tls) {
        return nullptr;
    }
    return std::make_shared<net::TlsContext>(net::TlsContext::Side::Requestor, options.tls_files);
}

net::Patience patience_from(const Options& options)
{
    using std::chrono::seconds;
    auto patience = net::Patience::of(seconds{options.timeout});
    if (options.acse_timeout) {
        patience.association = seconds{*options.acse_timeout};
    }
    if (options.dimse_timeout) {
        patience.message = seconds{*options.dimse_timeout};
    }
    patience.least_rate = static_cast<double>(options.min_rate);
    patience.in_all = seconds{options.max_time};
    return patience;
}

net::Receiver::Settings settings_from(const Options& options)
{
    // One after the other: GCC 12 misplaces the clean-up of a large aggregate whose parts throw.
    net::Receiver::Settings settings;
    settings.aet = options.aet;
    settings.max_pdu = options.max_pdu;
    settings.patience = patience_from(options);
    settings.store.root = options.out;
    settings.store.layout = dicom::Layout{options.layout};
    settings.store.durability = options.durability;
    settings.store.duplicates = options.duplicates;
    settings.store.hold_studies = true;
    settings.store.most_bytes = options.max_object.bytes;
    settings.store.least_free_bytes = options.min_free.bytes;
    settings.store.least_free_files = options.min_free_files;
    settings.called_aet_is_ours = options.check_called;
    settings.access = access_from(options);
    settings.users = users_from(options);
    settings.takes = policy_from(options);
    settings.limits = options.limits;
    settings.limits.memory = options.max_memory.bytes;
    settings.tls = tls_from(options);
    settings.tls_out = tls_out_from(options);
    settings.node_of = [path = options.nodes](std::string_view aet) {
        return path ? net::listening_node(aet, *path) : std::nullopt;
    };
    return settings;
}

Record record_of(const net::Report& report)
{
    const auto& instance = report.instance;
    return Record{instance.path, instance.stood_already ? Status::Skipped : Status::Ok}
        .set("SOPClassUID", instance.sop_class_uid)
        .set("StudyInstanceUID", instance.study_uid)
        .set("SeriesInstanceUID", instance.series_uid)
        .set("SOPInstanceUID", instance.instance_uid)
        .set("calling_aet", report.calling_aet)
        .set("bytes", static_cast<std::int64_t>(instance.bytes));
}

/// What happens, for others to see.
class Witness {
public:
    explicit Witness(const Options& options) : file_(options.counters)
    {
        if (options.events) {
            events_.emplace(*options.events);
        }
        publish();
    }

    void hear(const net::Event& event)
    {
        if (events_) {
            events_->push(event);
        }
        counters_.count(event);
    }

    /// About once a second.
    void publish()
    {
        if (events_) {
            events_->flush();
            counters_.set_lost_events(events_->lost());
        }
        if (file_ && net::Clock::now() >= next_) {
            next_ = net::Clock::now() + 1s;
            try {
                counters_.write(*file_);
            } catch (const Error& error) {
                log::error("{}", error.what());
            }
        }
    }

    void publish_last()
    {
        next_ = {};
        publish();
    }

    void reopen()
    {
        if (events_) {
            events_->reopen();
        }
    }

    void let_go()
    {
        if (events_) {
            events_->let_go();
        }
    }

private:
    std::optional<net::EventLog> events_{};
    net::Counters counters_{};
    std::optional<fs::path> file_;
    net::TimePoint next_{};
};

/// The nodes and users files, certificates and keys, and the event file. Who may call fails closed; keys do
/// not.
void reload(const Options& options, net::Receiver& receiver, Witness& witness)
{
    notify_service("RELOADING=1");
    bool all = true;
    try {
        receiver.set_users(users_from(options));
        receiver.set_access(access_from(options));
    } catch (const Error& error) {
        log::error("{}; nobody is let in until it can be read", error.what());
        receiver.set_access(std::nullopt);
        all = false;
    }
    try {
        receiver.set_tls(tls_from(options), tls_out_from(options));
        witness.reopen();
    } catch (const Error& error) {
        log::error("{}; going on as before", error.what());
        all = false;
    }
    if (all) {
        log::info("read nodes, users, certificates and keys again");
    }
    notify_service("READY=1");
}

/// Results wait for their reader; past this many bytes the senders wait as well.
constexpr std::uint64_t most_waiting = 16U << 20U;
/// For associations to finish their instance, and for results to be read, after a signal.
constexpr auto grace = 10s;

void serve(
    const Options& options, EventLoop& loop, net::Receiver& receiver, const OutputQueue& results,
    Witness& witness)
{
    while (!stop::requested() && !results.reader_gone()) {
        if (hangup::taken()) {
            reload(options, receiver, witness);
        }
        witness.publish();
        receiver.hold_reports(results.bytes() > most_waiting);
        loop.run_once(1s);
    }
}

void finish(EventLoop& loop, net::Receiver& receiver, const OutputQueue& results)
{
    receiver.stop();
    receiver.hold_reports(false);
    const auto until = net::Clock::now() + grace;
    while (net::Clock::now() < until && !results.reader_gone() &&
           (receiver.associations() > 0 || !results.empty())) {
        loop.run_once(100ms);
    }
    if (results.reader_gone()) {
        throw cli::ClosedPipe{};
    }
    if (!results.empty()) {
        log::warning("nobody read the last {} bytes of results; their instances are stored", results.bytes());
    }
}

void work(const Options& options, cli::Context& context)
{
    check(options);
    auto settings = settings_from(options);
    net::StoreFolder folder{options.out};
    if (const auto swept = folder.sweep(); swept > 0) {
        log::info("removed {} unfinished files that a killed receiver left", swept);
    }
    Witness witness{options};
    settings.in_child = [&] {
        folder.let_go();
        witness.let_go();
    };
    settings.on_event = [&](const net::Event& event) { witness.hear(event); };
    hangup::install();
    EventLoop loop;
    OutputQueue results{loop, STDOUT_FILENO, "stdout"};
    auto listener = net::Listener::passed();
    if (!listener) {
        listener.emplace(options.bind, options.port);
    }
    net::Receiver receiver{loop, std::move(*listener), std::move(settings), [&](const net::Report& report) {
                               results.push(context.line_of(record_of(report)));
                           }};
    log::info("listening on {} as {}", receiver.listener().endpoint(), options.aet);
    notify_service("READY=1");
    serve(options, loop, receiver, results, witness);
    notify_service("STOPPING=1");
    finish(loop, receiver, results);
    witness.publish_last();
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
