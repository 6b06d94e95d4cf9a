/// \file dpipe-send: sends instances to nodes by C-STORE, each once, and prints those that arrived.

#include "archive/zip_reader.hpp"
#include "cli/command.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"
#include "net/node_book.hpp"
#include "net/store_scu.hpp"
#include "send/outcome.hpp"
#include "send/report.hpp"
#include "send/sender.hpp"
#include "send/source.hpp"
#include "send/verdict.hpp"
#include "upload/credentials.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;
using ZipVerdict = send::ZipTallies::Verdict;

constexpr cli::About about{
    .name = "dpipe-send",
    .summary = "Send instances to one or more nodes by C-STORE, each once, and resume where it stopped.",
    .usage = "--node NODE [--node NODE...] [OPTIONS] INPUT...",
    .examples = "  dpipe-send --node RESEARCH@pacs.example.org:104 --require-deidentified anon/\n"
                "  dpipe-watch --once anon/ | dpipe-send --nodes nodes.json --node research --node backup -\n"
                "  dpipe-send --node RESEARCH@pacs.example.org:104 --echo\n"};

/// Below it nodes give an association up.
constexpr std::uint64_t least_bandwidth = 16 * 1024;

/// The keys of PACSIFIER's configuration file, which --config reads as it is.
struct PacsifierConfig {
    std::string server_address;
    std::string server_aet;
    std::string aet;
    std::string ignored;
    std::uint16_t port = 0;
    bool upload = false;
    fs::path upload_directory;
};

struct Options {
    std::vector<std::string> nodes;
    std::optional<fs::path> nodes_file;
    bool all_nodes = false;
    bool echo = false;
    bool require_deidentified = false;
    bool commit = false;
    std::optional<std::uint16_t> commit_port;
    std::string bind;
    unsigned commit_timeout = 60;
    bool remove_source = false;
    bool dry_run = false;
    unsigned timeout = 60;
    cli::Size bandwidth;
    std::vector<fs::path> reports;
    bool tls = false;
    net::TlsFiles tls_files;
    upload::CredentialSources user;
    PacsifierConfig pacsifier;
    send::SendSettings send;
};

void declare_pacsifier(cli::Words& words, Options& options)
{
    auto& config = options.pacsifier;
    const auto hidden = [&](std::string_view name, auto& target) {
        words.option(name, target, "VALUE", "of PACSIFIER").hidden = true;
    };
    hidden("--server_address", config.server_address);
    hidden("--server_AET", config.server_aet);
    hidden("--port", config.port);
    hidden("--AET", config.aet);
    for (const auto* const name : {"--move_AET", "--move_port", "--batch_size", "--batch_wait_time"}) {
        hidden(name, config.ignored);
    }
    words.flag("--upload", config.upload, "of PACSIFIER").hidden = true;
    hidden("--upload_directory", config.upload_directory);
}

void declare_connection(cli::Words& words, Options& options)
{
    auto& outlet = options.send.outlet;
    words.group("Connection");
    words.option("--aet", outlet.call.aet, "AET", "our AE title").shows("DPIPE");
    words.option("--associations", outlet.associations, "N", "so many at once with each node").shows("1");
    words.option("--bandwidth", options.bandwidth, "SIZE", "send so many bytes a second at most: 500K");
    words
        .option(
            "--max-retries", outlet.retries, "N",
            "tries of an instance after the first, where the node is busy or breaks off")
        .shows("3");
    words
        .option(
            "--retry-delay", outlet.backoff.first, "SECONDS",
            "before the second try; doubles from there, up to 15 minutes")
        .shows("1");
    words.option("--timeout", options.timeout, "SECONDS", "give up a node that is silent for so long")
        .shows("60");
    words.option("--max-pdu", outlet.call.max_pdu, "BYTES", "the longest PDU to take, 4096 to 131072")
        .shows("131072");
    words.option("--username", options.user.username, "NAME", "say who we are (user identity)");
    words.option("--password-file", options.user.password_file, "FILE", "its first line is the passcode")
        .shows("the environment's DPIPE_PASSWORD");
    words.refuse_secret("--password", "--password-file, or DPIPE_PASSWORD in the environment");
    words.flag("--tls", options.tls, "encrypted connections only, TLS 1.2 or 1.3 (BCP 195)");
    words.option("--tls-cert", options.tls_files.certificate, "FILE", "our certificate and its chain, PEM");
    words.option("--tls-key", options.tls_files.key, "FILE", "its key, PEM, not encrypted");
    words
        .option(
            "--tls-ca", options.tls_files.authorities, "FILE",
            "only nodes whose certificate one of these has signed, PEM")
        .shows("those that the system trusts");
}

void declare_commitment(cli::Words& words, Options& options)
{
    words.group("Storage commitment");
    words.flag(
        "--commit", options.commit,
        "an instance has arrived once the node took the responsibility for its safekeeping");
    words
        .option(
            "--commit-port", options.commit_port, "PORT",
            "listen on this port, which the node must know, for reports that it makes later")
        .shows("reports come on our association");
    words.option("--bind", options.bind, "ADDR", "and on this address only").shows("every address");
    words.option("--commit-timeout", options.commit_timeout, "SECONDS", "wait so long for a report")
        .shows("60");
    words.flag(
        "--remove-source", options.remove_source,
        "delete a file once every node has committed itself to its instance; implies --commit");
}

void declare(cli::Words& words, Options& options)
{
    words.inputs("INPUT", "a DICOM file, a folder of them, a ZIP; '-' reads them from stdin");
    words.option("--node", options.nodes, "NODE", "whom to send to: AET@HOST:PORT, or a name of --nodes");
    words.option("--nodes", options.nodes_file, "FILE", "a JSON file of nodes by name, ours or Orthanc's");
    words.flag("--all-nodes", options.all_nodes, "send to every node of --nodes that is enabled");
    words.flag("--echo", options.echo, "only ask whether the nodes answer (C-ECHO), and print those that do");
    words.flag(
        "--require-deidentified", options.require_deidentified,
        "keep back what does not say that it is de-identified: (0012,0062) YES");
    words.option("--journal", options.send.journal, "FILE", "what was sent to whom")
        .shows("~/.local/state/dcmpipe/send.db");
    words.flag(
        "--retry-failed", options.send.outlet.retry_failed, "send what a node once refused for good again");
    words.option(
        "--report", options.reports, "FILE",
        "FILE.csv: a line for each instance and node; FILE.json: the counts");
    words.dry_run(options.dry_run);
    declare_commitment(words, options);
    declare_connection(words, options);
    declare_pacsifier(words, options);
}

std::vector<net::Node> nodes_of(const Options& options)
{
    std::vector<net::Node> nodes;
    for (const auto& text : options.nodes) {
        nodes.push_back(net::resolve_node(text, options.nodes_file));
    }
    if (options.all_nodes) {
        if (!options.nodes_file || !nodes.empty()) {
            throw Error{ErrorKind::Usage, "--all-nodes goes with --nodes, and without --node"};
        }
        nodes = net::enabled_nodes(*options.nodes_file);
    }
    const auto& config = options.pacsifier;
    if (nodes.empty() && !config.server_address.empty() && !config.server_aet.empty() && config.port != 0) {
        nodes.push_back(net::Node::parse(
            config.server_aet + "@" + net::endpoint_text(config.server_address, config.port)));
    }
    if (nodes.empty()) {
        throw Error{ErrorKind::Usage, "--node is missing"};
    }
    for (auto node = nodes.begin(); node != nodes.end(); ++node) {
        if (std::any_of(
                nodes.begin(), node, [&](const auto& other) { return other.text() == node->text(); })) {
            throw Error{ErrorKind::Usage, "wrong --node", node->text(), "it is named twice"};
        }
    }
    return nodes;
}

void check(const Options& options)
{
    const auto& outlet = options.send.outlet;
    net::check_aet(options.pacsifier.aet.empty() ? outlet.call.aet : options.pacsifier.aet);
    net::check_max_pdu(outlet.call.max_pdu);
    if (options.timeout == 0 || options.commit_timeout == 0) {
        throw Error{ErrorKind::Usage, "--timeout and --commit-timeout must be 1 s or more"};
    }
    if (outlet.associations == 0 || outlet.associations > 64) {
        throw Error{ErrorKind::Usage, "--associations must be 1 to 64"};
    }
    const auto& files = options.tls_files;
    if (!options.tls && (files.certificate || files.key || files.authorities)) {
        throw Error{ErrorKind::Usage, "--tls-cert, --tls-key and --tls-ca need --tls"};
    }
    if (options.tls && options.commit_port && !(files.certificate && files.key)) {
        throw Error{ErrorKind::Usage, "--commit-port with --tls needs --tls-cert and --tls-key"};
    }
    for (const auto& report : options.reports) {
        if (report.extension() != ".csv" && report.extension() != ".json") {
            throw Error{
                ErrorKind::Usage, "wrong --report", report.string(), "it ends neither in .csv nor in .json"};
        }
    }
}

send::SendSettings settings_of(const Options& options)
{
    check(options);
    auto settings = options.send;
    settings.nodes = nodes_of(options);
    settings.bytes_per_second = options.bandwidth.bytes;
    const auto shares = settings.nodes.size() * settings.outlet.associations;
    if (settings.bytes_per_second != 0 && settings.bytes_per_second / shares < least_bandwidth) {
        throw Error{ErrorKind::Usage, "--bandwidth must be 16K or more for each association"};
    }
    auto& call = settings.outlet.call;
    if (!options.pacsifier.aet.empty()) {
        call.aet = options.pacsifier.aet;
    }
    call.patience = net::Patience::of(std::chrono::seconds{options.timeout});
    if (!options.user.username.empty()) {
        const auto user = upload::read_credentials(options.user);
        call.user = user.username;
        call.passcode = user.password;
    }
    if (options.tls) {
        call.tls = std::make_shared<net::TlsContext>(net::TlsContext::Side::Requestor, options.tls_files);
    }
    if (options.commit || options.remove_source) {
        settings.outlet.commit.emplace().in_all = std::chrono::seconds{options.commit_timeout};
    }
    if (options.commit_port) {
        settings.reports = {options.bind, *options.commit_port};
        settings.tls_files = options.tls_files;
    } else if (settings.outlet.commit) { // it can only come on the association of the request
        settings.outlet.commit->same_association = settings.outlet.commit->in_all;
    }
    if (settings.journal.empty()) {
        settings.journal = send::usual_journal();
    }
    return settings;
}

/// Reads the inputs, hands their instances to a Sender, and prints what became of them.
class Run {
public:
    Run(const Options& options, send::SendSettings settings, cli::Context& context)
        : options_(options), context_(context), nodes_(settings.nodes), tally_(settings.nodes)
    {
        for (const auto& report : options_.reports) {
            if (report.extension() == ".csv") {
                table_.emplace(report, nodes_);
            }
        }
        if (!options_.dry_run) {
            sender_.emplace(std::move(settings), [this](const auto& shipment) { settled(shipment); });
        } else if (fs::exists(settings.journal)) {
            journal_.emplace(settings.journal);
        }
    }

    void run()
    {
        if (!options_.pacsifier.upload_directory.empty()) {
            take(options_.pacsifier.upload_directory);
        } else {
            context_.require_inputs();
        }
        while (is_worth_it()) {
            if (sender_ && !context_.input_is_ready()) {
                sender_->flush();
            }
            const auto input = context_.next_input();
            if (!input) {
                break;
            }
            take(*input);
        }
        if (sender_) {
            sender_->finish();
        }
        conclude();
    }

private:
    bool is_worth_it() const { return !stop::requested() && (!sender_ || sender_->any_node_left()); }

    /// Whatever is wrong with one input, the next may be sound.
    void attempt(const fs::path& path, const std::function<void()>& work)
    {
        try {
            work();
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Input && error.kind() != ErrorKind::Refused) {
                throw;
            }
            refuse(path, error);
        }
    }

    void refuse(const fs::path& path, const Error& error)
    {
        const bool kept_back = error.kind() == ErrorKind::Refused;
        {
            const std::lock_guard lock{mutex_};
            ++(kept_back ? tally_.kept_back : tally_.unread);
        }
        context_.fail(path, error, kept_back ? Status::Quarantined : Status::Failed);
    }

    void take(const fs::path& input)
    {
        attempt(input, [&] {
            for (const auto& file : files_below(input)) {
                if (!is_worth_it()) {
                    return;
                }
                attempt(file, [&] { take_file(file); });
            }
        });
    }

    void take_file(const fs::path& file)
    {
        const bool zip = archive::is_zip(file);
        if (!zip) {
            return send::read_items(file, false, [this](send::Item item) { take(std::move(item)); }, {});
        }
        auto verdict = ZipVerdict::Failed; // where it is not read to the end
        zips_.begin(file);
        attempt(file, [&] {
            verdict = ZipVerdict::AllSentBefore;
            send::read_items(
                file, true, [this](send::Item item) { take(std::move(item)); },
                [&](const std::string& name, const Error& error) {
                    verdict = ZipVerdict::Failed;
                    refuse(name, error);
                });
        });
        end_zip(file, stop::requested() ? ZipVerdict::Failed : verdict);
    }

    void take(send::Item item)
    {
        if (options_.require_deidentified && !item.identity_removed) {
            throw Error{
                ErrorKind::Refused, "kept back", item.path.string(),
                "it does not say that it is de-identified: (0012,0062) is not YES"};
        }
        if (!sender_) {
            return plan(item);
        }
        if (item.entry) {
            zips_.begin(item.path);
        }
        sender_->submit(std::move(item));
    }

    /// What a dry run says of an instance.
    void plan(const send::Item& item)
    {
        std::int64_t to_send = 0;
        for (const auto& node : nodes_) {
            const auto known = journal_ ? send::recall(*journal_, node.text(), item) : std::nullopt;
            const bool refused = known && known->stage == send::Stage::Refused;
            to_send += !known || (refused && options_.send.outlet.retry_failed) ? 1 : 0;
        }
        auto record = send::record_of(item, to_send > 0 ? Status::Ok : Status::Skipped);
        context_.emit(record.set("to_send", to_send).set("dry_run", true));
    }

    /// Called by threads of the sender.
    void settled(const send::Shipment& shipment)
    {
        const auto& item = shipment.item;
        {
            const std::lock_guard lock{mutex_};
            tally_.add(shipment);
        }
        if (table_) {
            table_->add(shipment);
        }
        auto record = send::record_of(shipment, nodes_);
        if (options_.remove_source && !item.entry && send::is_committed(shipment)) {
            const bool removed = send::remove_source(item);
            record.set("removed", removed);
            if (!removed) {
                log::warning("'{}' stays: it changed, or may not be deleted", item.path.string());
            }
        }
        if (!record.usable()) {
            log::error("cannot send '{}': {}", item.path.string(), record.reason());
        }
        if (context_.streams().json || !item.entry || !record.usable()) {
            context_.emit(record);
        }
        if (item.entry) {
            end_zip(
                item.path, !record.usable()                ? ZipVerdict::Failed
                           : record.status() == Status::Ok ? ZipVerdict::AllSent
                                                           : ZipVerdict::AllSentBefore);
        }
        context_.progress().add(1, item.size);
    }

    /// Without --json a ZIP is one result.
    void end_zip(const fs::path& zip, ZipVerdict verdict)
    {
        const auto total = zips_.end(zip, verdict);
        if (total && total != ZipVerdict::Failed && !context_.streams().json && !options_.dry_run) {
            context_.emit(Record{zip, total == ZipVerdict::AllSent ? Status::Ok : Status::Skipped});
        }
    }

    void conclude()
    {
        std::optional<Error> given_up;
        for (std::size_t i = 0; i < nodes_.size() && sender_; ++i) {
            auto& node = tally_.nodes[i];
            if (const auto error = sender_->given_up(i)) {
                node.given_up = error->reason();
                given_up.emplace(ErrorKind::Peer, "gave up sending to", node.node, error->reason());
            }
            log::info(
                "{}: {} sent ({} bytes), {} skipped, {} failed", node.node, node.sent, node.bytes,
                node.sent_before, node.failed);
            for (const auto& [warning, count] : node.warnings) {
                log::warning("{}: {} stored with {}", node.node, count, warning);
            }
        }
        for (const auto& report : options_.reports) {
            if (report.extension() == ".json") {
                send::write_summary(report, tally_);
            }
        }
        if (tally_.kept_back > 0) {
            throw Error{ErrorKind::Refused, fmt::format("kept back {}: not de-identified", tally_.kept_back)};
        }
        if (given_up) {
            throw Error{*given_up};
        }
    }

    const Options& options_;
    cli::Context& context_;
    std::vector<net::Node> nodes_;
    std::mutex mutex_; ///< of tally_
    send::RunTally tally_;
    send::ZipTallies zips_;
    std::optional<send::TableReport> table_;
    std::optional<send::Journal> journal_; ///< of a dry run
    std::optional<send::Sender> sender_;   ///< last: its threads use the others; none in a dry run
};

void echo(const send::SendSettings& settings, cli::Context& context)
{
    const std::vector<net::ProposedContext> contexts{
        {std::string{dicom::uid::Verification},
         {std::string{dicom::transfer_syntax::ImplicitVRLittleEndian}}}};
    std::size_t silent = 0;
    for (const auto& node : settings.nodes) {
        try {
            const auto start = net::Clock::now();
            auto association = send::call(node, settings.outlet.call, contexts);
            const auto status = net::echo(association);
            association.release();
            const std::chrono::duration<double, std::milli> took = net::Clock::now() - start;
            if (status != net::status::Success) {
                throw Error{ErrorKind::Peer, "no echo from", node.text(), send::describe(status)};
            }
            context.emit(Record{node.text()}.set("milliseconds", took.count()));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Peer) {
                throw;
            }
            context.fail(node.text(), error);
            ++silent;
        }
    }
    if (silent > 0) {
        throw Error{
            ErrorKind::Peer, fmt::format("{} of {} nodes did not answer", silent, settings.nodes.size())};
    }
}

void work(const Options& options, cli::Context& context)
{
    auto settings = settings_of(options);
    if (options.echo) {
        echo(settings, context);
    } else {
        Run{options, std::move(settings), context}.run();
    }
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
