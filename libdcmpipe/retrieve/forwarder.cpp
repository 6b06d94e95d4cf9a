#include "retrieve/forwarder.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"
#include "retrieve/request_identifier.hpp"

#include <poll.h>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace uid = dicom::uid;

namespace {

constexpr std::size_t most_uids = 500;

/// A series, or the images of it that were asked for in as many requests as they need.
std::vector<Request> requests_for(const FoundSeries& series)
{
    std::vector<Request> requests;
    if (!series.some_instances_only) {
        requests.push_back({.study_uid = series.study_uid, .series_uid = series.series_uid});
    }
    for (std::size_t i = 0; series.some_instances_only && i < series.instances.size(); ++i) {
        if (i % most_uids == 0) {
            requests.push_back({.study_uid = series.study_uid, .series_uid = series.series_uid});
        }
        requests.back().instances.insert(series.instances[i].uid);
    }
    return requests;
}

} // namespace

Fetched Forwarder::forward(const FoundSeries& series)
{
    if (!series.unconfirmed.empty()) {
        throw Error{
            ErrorKind::Input, "cannot forward", series.series_uid,
            "the node gives no value for some of what was asked, and nobody here sees the instances"};
    }
    Fetched fetched{.by_uid = series.instances_known};
    fetched.expected = series.instances_known ? series.instances.size() : series.count.value_or(1);
    std::string reason;
    for (unsigned retry = 0; retry <= connection_.settings().retries; ++retry) {
        if (retry > 0) {
            connection_.pause(retry);
        }
        std::uint64_t sent = 0;
        bool all_well = true;
        reason.clear();
        try {
            for (const auto& request : requests_for(series)) {
                const auto outcome = ask(request);
                sent += outcome.completed + outcome.warned;
                if (outcome.status != net::status::Success || outcome.failed > 0) {
                    all_well = false;
                    reason = fmt::format(": the node answered {}", net::status_text(outcome.status));
                }
            }
        } catch (const Error& error) {
            association_.reset();
            if (error.kind() != ErrorKind::Peer || !connection_.reached()) {
                throw;
            }
            log::warning("{}", error.what());
            all_well = false;
            reason = fmt::format(": {}", error.what());
        }
        fetched.received = std::max(fetched.received, sent);
        fetched.missing = fetched.expected - std::min(fetched.expected, fetched.received);
        if (all_well && fetched.missing == 0) {
            return fetched;
        }
    }
    fetched.missing = std::max<std::uint64_t>(fetched.missing, 1);
    fetched.reason =
        fmt::format("{} of {} instances were not sent{}", fetched.missing, fetched.expected, reason);
    return fetched;
}

net::QueryOutcome Forwarder::ask(const Request& request)
{
    using namespace dicom::transfer_syntax;
    if (!association_) {
        association_.emplace(connection_.call(
            {{.abstract_syntax = std::string{uid::StudyRootMove},
              .transfer_syntaxes = {
                  std::string{ExplicitVRLittleEndian}, std::string{ImplicitVRLittleEndian}}}}));
    }
    const auto* const context = association_->context_for(uid::StudyRootMove);
    if (context == nullptr) {
        throw Error{
            ErrorKind::Usage, "cannot forward from", association_->peer(), "it does not offer C-MOVE to us"};
    }
    return net::move(
        *association_, *context, identifier_of(request, context->transfer_syntax), destination_,
        [&](const net::Association& waiting, net::TimePoint silent_since) {
            pollfd polled{waiting.fd(), POLLIN, 0};
            ::poll(&polled, 1, 1000);
            if (stop::requested()) {
                throw Error{ErrorKind::Cancelled, "stopping"};
            }
            if (net::Clock::now() - silent_since > connection_.settings().patience.idle) {
                throw Error{ErrorKind::Peer, "gave up on", waiting.peer(), "it went silent"};
            }
        });
}

void Forwarder::release()
{
    if (association_) {
        hang_up(*association_);
        association_.reset();
    }
}

} // namespace dcmpipe::retrieve
