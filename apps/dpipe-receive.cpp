/// \file dpipe-receive: takes instances from modalities and archives, stores each durably, prints its path.

#include "cli/command.hpp"
#include "cli/receiver_options.hpp"
#include "core/event_loop.hpp"
#include "core/hangup.hpp"
#include "core/log.hpp"
#include "core/output_queue.hpp"
#include "core/service_notify.hpp"
#include "core/stop.hpp"
#include "net/receiver.hpp"
#include "net/store_folder.hpp"
#include "net/witness.hpp"

#include <unistd.h>

namespace {

using namespace dcmpipe;
using namespace std::chrono_literals;

constexpr cli::About about{
    .name = "dpipe-receive",
    .summary = "Receive instances by C-STORE, store each durably and print its path.",
    .usage = "-o DIR [OPTIONS]",
    .examples = "  dpipe-receive -o incoming/\n"
                "  dpipe-receive --aet RESEARCH --port 104 --bind 10.0.0.5 -o incoming/ --json\n"
                "  dpipe-receive --port 0 -o incoming/ --layout '{StudyDate}/{SOPInstanceUID}.dcm'\n"};

void declare(cli::Words& words, cli::ReceiverOptions& options)
{
    options.declare(words);
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

/// The nodes and users files, certificates and keys, and the event file. Who may call fails closed; keys do
/// not.
void reload(const cli::ReceiverOptions& options, net::Receiver& receiver, net::Witness& witness)
{
    notify_service("RELOADING=1");
    bool all = true;
    try {
        receiver.set_users(options.known_users());
        receiver.set_access(options.access());
    } catch (const Error& error) {
        log::error("{}; nobody is let in until it can be read", error.what());
        receiver.set_access(std::nullopt);
        all = false;
    }
    try {
        receiver.set_tls(
            options.tls_context(net::TlsContext::Side::Acceptor),
            options.tls_context(net::TlsContext::Side::Requestor));
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
    const cli::ReceiverOptions& options, EventLoop& loop, net::Receiver& receiver, const OutputQueue& results,
    net::Witness& witness)
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

void work(const cli::ReceiverOptions& options, cli::Context& context)
{
    options.check();
    auto settings = options.settings();
    net::StoreFolder folder{options.out};
    if (const auto swept = folder.sweep(); swept > 0) {
        log::info("removed {} unfinished files that a killed receiver left", swept);
    }
    net::Witness witness{options.events, options.counters};
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
    return cli::run<cli::ReceiverOptions>(about, argc, argv, declare, work);
}
