/// \file dpipe-receive: takes instances from modalities and archives, stores each durably, prints its path.

#include "cli/command.hpp"
#include "core/event_loop.hpp"
#include "core/log.hpp"
#include "core/output_queue.hpp"
#include "core/service_notify.hpp"
#include "core/stop.hpp"
#include "net/node.hpp"
#include "net/receiver.hpp"

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
    unsigned timeout = 60;
    std::uint32_t max_pdu = net::default_max_pdu;
};

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
            {{"full", net::Durability::Full}, {"none", net::Durability::None}},
            "say Success once the instance is on the disk; or, for measurements, at once")
        .shows("full");
    words.option("--timeout", options.timeout, "SECONDS", "end an association that is silent for so long")
        .shows("60");
    words.option("--max-pdu", options.max_pdu, "BYTES", "the longest PDU to take, 4096 to 131072")
        .shows("131072");
}

void check(const Options& options)
{
    net::check_aet(options.aet);
    net::check_max_pdu(options.max_pdu);
    if (options.timeout == 0) {
        throw Error{ErrorKind::Usage, "--timeout must be 1 s or more"};
    }
}

net::Receiver::Settings settings_from(const Options& options)
{
    return {
        .aet = options.aet,
        .max_pdu = options.max_pdu,
        .patience = net::Patience::of(std::chrono::seconds{options.timeout}),
        .store = {
            .root = options.out, .layout = dicom::Layout{options.layout}, .durability = options.durability}};
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

/// Results wait for their reader; past this many bytes the senders wait as well.
constexpr std::uint64_t most_waiting = 16U << 20U;
/// For associations to finish their instance, and for results to be read, after a signal.
constexpr auto grace = 10s;

void serve(EventLoop& loop, net::Receiver& receiver, const OutputQueue& results)
{
    while (!stop::requested() && !results.reader_gone()) {
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
    EventLoop loop;
    OutputQueue results{loop, STDOUT_FILENO, "stdout"};
    net::Receiver receiver{
        loop, net::Listener{options.bind, options.port}, settings_from(options),
        [&](const net::Report& report) { results.push(context.line_of(record_of(report))); }};
    log::info("listening on {} as {}", receiver.listener().endpoint(), options.aet);
    notify_service("READY=1");
    serve(loop, receiver, results);
    notify_service("STOPPING=1");
    finish(loop, receiver, results);
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
