#include "send/committer.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/transfer_syntax.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

namespace dcmpipe::send {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_at_a_time = 500;
/// A signal wakes no thread that waits here.
constexpr auto between_looks = 200ms;
constexpr std::uint16_t no_such_instance = 0x0112;

/// SOP Class UID and SOP Instance UID.
using Reference = std::pair<std::string, std::string>;

Reference reference_to(const Accepted& accepted)
{
    return {accepted.shipment->item.sop_class_uid, accepted.shipment->item.instance_uid};
}

Reference key_of(const net::InstanceReference& reference)
{
    return {reference.sop_class_uid, reference.instance_uid};
}

} // namespace

Committer::Committer(
    const net::Node& node, const CallSettings& call, const CommitSettings& settings,
    Transactions& transactions, Pause pause, OnSettled on_settled)
    : node_(node), call_(call), settings_(settings), transactions_(transactions), pause_(std::move(pause)),
      on_settled_(std::move(on_settled)), thread_([this] { run(); })
{
}

Committer::~Committer()
{
    finish();
}

void Committer::add(Accepted accepted)
{
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(accepted));
    flushed_ = false;
    changed_.notify_all();
}

void Committer::flush()
{
    const std::lock_guard lock{mutex_};
    flushed_ = true;
    changed_.notify_all();
}

void Committer::finish()
{
    {
        const std::lock_guard lock{mutex_};
        finished_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Committer::run()
{
    for (auto batch = next_batch(); !batch.empty(); batch = next_batch()) {
        settle(std::move(batch));
    }
}

/// Empty at the end.
std::vector<Accepted> Committer::next_batch()
{
    std::unique_lock lock{mutex_};
    for (;;) {
        if (stop::requested() || (finished_ && waiting_.empty())) {
            return {};
        }
        const bool complete = flushed_ || finished_ || waiting_.size() >= most_at_a_time;
        if (complete && !waiting_.empty()) {
            const auto count = static_cast<std::ptrdiff_t>(std::min(most_at_a_time, waiting_.size()));
            std::vector<Accepted> batch{
                std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.begin() + count)};
            waiting_.erase(waiting_.begin(), waiting_.begin() + count);
            return batch;
        }
        changed_.wait_for(lock, between_looks);
    }
}

void Committer::settle(std::vector<Accepted> batch)
{
    net::CommitmentReport report;
    std::string otherwise = "the node does not speak of it in its report";
    try {
        report = ask(batch);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::Cancelled) {
            return; // the journal has it as accepted: asked for the next time
        }
        log::warning("{}", error.what());
        otherwise = error.reason();
    }
    std::set<Reference> committed;
    std::map<Reference, std::uint16_t> failures;
    for (const auto& reference : report.committed) {
        committed.insert(key_of(reference));
    }
    for (const auto& [reference, reason] : report.failed) {
        failures.emplace(key_of(reference), reason);
    }
    for (auto& accepted : batch) {
        const auto reference = reference_to(accepted);
        const auto failed = failures.find(reference);
        if (failed != failures.end()) {
            const bool missing = failed->second == no_such_instance;
            on_settled_(
                std::move(accepted), missing ? Outcome::Missing : Outcome::Failed,
                "no storage commitment: " + describe_failure(failed->second));
        } else if (committed.count(reference) != 0) {
            on_settled_(std::move(accepted), Outcome::Committed, {});
        } else {
            on_settled_(std::move(accepted), Outcome::Failed, "no storage commitment: " + otherwise);
        }
    }
}

net::CommitmentReport Committer::ask(const std::vector<Accepted>& batch)
{
    net::CommitmentRequest request;
    for (const auto& accepted : batch) {
        const auto [sop_class_uid, instance_uid] = reference_to(accepted);
        request.instances.push_back({sop_class_uid, instance_uid});
    }
    for (unsigned retry = 1;; ++retry) {
        try {
            return ask_once(request);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Peer || !pause_(retry)) {
                throw;
            }
            log::warning("{}; trying again", error.what());
        }
    }
}

/// Throws Error{Refused} where the node will not, Error{Peer} where it cannot just now.
net::CommitmentReport Committer::ask_once(net::CommitmentRequest request)
{
    using namespace dicom::transfer_syntax;
    auto association = call(
        node_, call_,
        {{std::string{net::CommitmentClass},
          {std::string{ExplicitVRLittleEndian}, std::string{ImplicitVRLittleEndian}}}});
    const auto* const context = association.context_for(net::CommitmentClass);
    const auto refuse = [&](const std::string& reason) {
        throw Error{ErrorKind::Refused, "no storage commitment by", node_.text(), reason};
    };
    if (context == nullptr) {
        refuse("it does not offer it");
    }
    request.transaction_uid = new_transaction_uid();
    const auto& transaction_uid = request.transaction_uid;
    transactions_.begin(transaction_uid);
    try {
        const auto status = request_commitment(association, *context, request);
        if (status != net::status::Success) {
            refuse(fmt::format("it refused with {}", net::status_text(status)));
        }
        if (auto report = await_report(association, transaction_uid)) {
            return std::move(*report);
        }
        refuse(fmt::format("no report within {} s", settings_.in_all.count()));
    } catch (const Error&) {
        transactions_.end(transaction_uid);
        throw;
    }
    return {};
}

/// On this association, and once that is released on one of the node's.
std::optional<net::CommitmentReport> Committer::await_report(
    net::Association& association, const std::string& transaction_uid)
{
    const auto start = net::Clock::now();
    bool open = true;
    for (auto now = start; now - start < settings_.in_all; now = net::Clock::now()) {
        if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopping"};
        }
        if (auto report = transactions_.wait(transaction_uid, open ? 20ms : between_looks)) {
            if (open) {
                association.release();
            }
            return report;
        }
        if (open && association.has_input()) {
            const auto message = association.receive();
            open = message.has_value();
            if (message) {
                transactions_.report(receive_report(association, *message));
            }
        } else if (open && now - start >= settings_.same_association) {
            association.release();
            open = false;
        }
    }
    return std::nullopt;
}

} // namespace dcmpipe::send
