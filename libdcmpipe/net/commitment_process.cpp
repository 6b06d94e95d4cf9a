#include "net/commitment_process.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "net/commitment_reporter.hpp"

#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

namespace dcmpipe::net {

CommitmentCall::Settings call_settings(const Receiver::Settings& settings)
{
    return {.aet = settings.aet, .patience = settings.patience, .connect = [&settings](const Node& node) {
                return connect(node, settings.tls_out.get(), Clock::now() + settings.patience.association);
            }};
}

Event committed_event(const std::string& calling_aet, const CommitmentReport& report, bool delivered)
{
    if (!delivered) {
        log::warning("{} did not hear what became of its request for commitment", calling_aet);
    }
    return {
        .kind = EventKind::Committed,
        .calling_aet = calling_aet,
        .released = delivered,
        .stored = report.committed.size(),
        .refused = report.failed.size()};
}

void tell_parent(int parent, const Event& event)
{
    const auto datagram = event.encode();
    while (::send(parent, datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            throw Error::from_errno(ErrorKind::Internal, "cannot report to", "the parent process");
        }
    }
}

void report_in_process(int parent, const Receiver::Settings& settings) noexcept
{
    try {
        const auto on_done = [&](const std::string& aet, const CommitmentReport& report, bool delivered) {
            tell_parent(parent, committed_event(aet, report, delivered));
        };
        CommitmentReporter{
            {.root = settings.store.root,
             .layout = settings.store.layout,
             .call = call_settings(settings),
             .node_of = settings.node_of},
            on_done}
            .run();
    } catch (const std::exception& error) {
        log::error("what is left to report on storage commitment waits: {}", error.what());
        ::_exit(1);
    }
    ::_exit(0);
}

} // namespace dcmpipe::net
