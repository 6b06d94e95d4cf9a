#include "retrieve/forwarder.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"
#include "retrieve/identifier.hpp"
#include "retrieve/request_identifier.hpp"

#include <algorithm>

#include <poll.h>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace uid = dicom::uid;

namespace {

using Uids = Journal::Uids;

constexpr std::size_t most_uids = 500;

/// (0008,0058), where the node gave it and it can be read.
Uids failed_uids(const net::QueryOutcome& outcome, std::string_view transfer_syntax)
{
    Uids uids;
    try {
        const auto attributes = decode_identifier(outcome.identifier, transfer_syntax);
        auto list = value_of(attributes, dicom::tags::FailedSOPInstanceUIDList);
        while (!list.empty()) {
            const auto end = std::min(list.find('\\'), list.size());
            uids.emplace(dicom::uid::trimmed(list.substr(0, end)));
            list.remove_prefix(std::min(end + 1, list.size()));
        }
    } catch (const Error& error) {
        log::debug("{}", error.what());
    }
    return uids;
}

} // namespace

/// What of one series was sent.
class Forwarder::Account {
public:
    Account(const FoundSeries& series, std::optional<Journal>& journal) : series_(series), journal_(journal)
    {
        const auto sent = journal ? journal->sent(series) : Uids{};
        for (const auto& instance : series.instances) {
            (sent.contains(instance.uid) ? fetched_.present : fetched_.missing) += 1;
            if (!sent.contains(instance.uid)) {
                missing_.insert(instance.uid);
            }
        }
        fetched_.by_uid = series.instances_known;
        fetched_.expected = series.instances_known ? series.instances.size() : series.count.value_or(1);
        if (!series.instances_known) {
            fetched_.missing = sent.contains("") ? 0 : fetched_.expected; // see credit()
            fetched_.present = fetched_.expected - fetched_.missing;
        }
    }

    bool complete() const { return fetched_.missing == 0; }
    Fetched& fetched() { return fetched_; }

    /// The series, or what of it is missing in as many requests as it needs.
    std::vector<Request> requests() const
    {
        std::vector<Request> requests;
        const bool whole = !series_.instances_known ||
                           (missing_.size() == series_.instances.size() && !series_.some_instances_only);
        if (whole) {
            requests.push_back({.study_uid = series_.study_uid, .series_uid = series_.series_uid});
            return requests;
        }
        for (const auto& one : missing_) {
            if (requests.empty() || requests.back().instances.size() == most_uids) {
                requests.push_back({.study_uid = series_.study_uid, .series_uid = series_.series_uid});
            }
            requests.back().instances.insert(one);
        }
        return requests;
    }

    /// What a request brought, as the node counts it.
    void credit(const Request& request, const net::QueryOutcome& outcome, const Uids& failed)
    {
        const auto done = static_cast<std::uint64_t>(outcome.completed) + outcome.warned;
        if (!series_.instances_known) {
            const bool all =
                outcome.status == net::status::Success && outcome.failed == 0 && done >= fetched_.expected;
            fetched_.received = std::max(fetched_.received, done);
            fetched_.missing = fetched_.expected - std::min(fetched_.expected, fetched_.received);
            if (fetched_.missing == 0 && !all) {
                fetched_.missing = 1;
            }
            if (all && journal_) {
                journal_->add_sent(series_, {""}); // nobody knows their UIDs
            }
            return;
        }
        auto sent = request.instances.empty() ? missing_ : request.instances;
        const bool books_agree = done + failed.size() >= sent.size() && failed.size() == outcome.failed;
        if (!books_agree) { // it sent fewer than it listed, or does not say which
            const auto surely = std::min<std::uint64_t>(done, missing_.size() - 1);
            fetched_.received = std::max(fetched_.received, credited_ + surely);
            fetched_.missing = missing_.size() - surely;
            return;
        }
        std::erase_if(sent, [&](const std::string& one) { return failed.contains(one); });
        for (const auto& one : sent) {
            missing_.erase(one);
        }
        credited_ += sent.size();
        fetched_.received = credited_;
        fetched_.missing = missing_.size();
        if (journal_) {
            journal_->add_sent(series_, sent);
        }
    }

private:
    const FoundSeries& series_;
    std::optional<Journal>& journal_;
    Uids missing_{};
    std::uint64_t credited_ = 0; ///< instances known to be sent, by UID
    Fetched fetched_{};
};

Fetched Forwarder::work(const FoundSeries& series, const OnStored& /*on_stored*/)
{
    if (!series.unconfirmed.empty()) {
        throw Error{
            ErrorKind::Input, "cannot forward", "a series",
            "the node gives no value for some of what was asked, and nobody here sees the instances"};
    }
    Account account{series, journal_};
    auto& fetched = account.fetched();
    std::string reason;
    for (unsigned idle = 0; !account.complete() && idle <= connection_.settings().retries;) {
        if (idle > 0) {
            connection_.pause(idle);
        } else if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopping"};
        }
        const auto before = fetched.received;
        reason = try_once(account);
        idle = fetched.received > before ? 0 : idle + 1;
    }
    if (!account.complete()) {
        fetched.reason =
            fmt::format("{} of {} instances were not sent{}", fetched.missing, fetched.expected, reason);
    }
    return fetched;
}

/// Why not all went well; empty where it did.
std::string Forwarder::try_once(Account& account)
{
    std::string reason;
    try {
        for (const auto& request : account.requests()) {
            connection_.wait_turn();
            account.fetched().broken_off = false;
            const auto outcome = ask(request);
            account.credit(
                request, outcome,
                failed_uids(outcome, association_->context_for(uid::StudyRootMove)->transfer_syntax));
            if (outcome.status != net::status::Success || outcome.failed > 0) {
                reason = fmt::format(": the node answered {}", net::status_text(outcome.status));
            }
        }
        if (reason.empty()) {
            connection_.went_well();
        }
    } catch (const Error& error) {
        association_.reset();
        if (error.kind() != ErrorKind::Peer || !connection_.reached()) {
            throw;
        }
        log::warning("{}", error.what());
        reason = fmt::format(": {}", error.what());
        account.fetched().broken_off = true;
    }
    return reason;
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
