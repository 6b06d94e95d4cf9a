#include "net/commitment_scp.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/tags.hpp"
#include "net/commitment_check.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace dcmpipe::net {

namespace tags = dicom::tags;

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t request_storage_commitment = 1; ///< (0000,1008) Action Type ID
constexpr std::size_t longest_request = 16U << 20U;     ///< some 100,000 instances
constexpr auto time_to_release = 1s;
/// Before each try to call the peer.
constexpr std::array<double, 6> pauses{0, 1, 5, 20, 60, 180};

/// Nothing where it is too long.
std::optional<std::string> receive_request(Association& association, const Association::Message& message)
{
    std::string bytes;
    bool too_long = false;
    association.receive_data_set(message, [&](std::string_view piece) {
        too_long = too_long || bytes.size() + piece.size() > longest_request;
        if (!too_long) {
            bytes.append(piece);
        }
    });
    return too_long ? std::nullopt : std::optional{std::move(bytes)};
}

} // namespace

CommitmentScp::CommitmentScp(Settings settings, OnDone on_done)
    : settings_(std::move(settings)), queue_(settings_.root), on_done_(std::move(on_done))
{
}

void CommitmentScp::take(Association& association, const Association::Message& request)
{
    const auto& command = request.command;
    std::optional<std::string> data_set{std::in_place};
    if (command.has_data_set()) {
        data_set = receive_request(association, request);
    }
    const auto& context = *association.context(request.context_id);
    const auto status = !data_set ? status::ResourceLimitation : decide(command, *data_set, context);
    association.send(request.context_id, Command::response_to(command, status));
    if (status == status::Success) {
        take_up_others();
    }
}

/// The status of the response; with Success a report waits.
std::uint16_t CommitmentScp::decide(const Command& command, std::string_view data_set, const Context& context)
{
    if (context.abstract_syntax != CommitmentClass) {
        return status::UnrecognizedOperation;
    }
    if (command.text(tags::RequestedSOPClassUID) != CommitmentClass) {
        return status::NoSuchSopClass;
    }
    if (command.text(tags::RequestedSOPInstanceUID) != CommitmentInstance) {
        return status::NoSuchInstance;
    }
    if (command.number(tags::ActionTypeID, 0) != request_storage_commitment) {
        return status::NoSuchAction;
    }
    if (settings_.has_room && !settings_.has_room()) {
        return status::ResourceLimitation;
    }
    try {
        node_ = settings_.node ? settings_.node() : std::nullopt;
        auto request = parse_commitment_request(data_set, context.transfer_syntax);
        auto report = check_commitment(settings_.root, settings_.layout, request);
        waiting_.push_back(
            {.entry = queue_.put({settings_.calling_aet, settings_.address, std::move(request)}),
             .report = std::move(report),
             .context_id = context.id});
        return status::Success;
    } catch (const Error& error) {
        switch (error.kind()) {
        case ErrorKind::Peer:
            log::warning("{}", error.what());
            return status::InvalidArgument;
        case ErrorKind::Output:
            log::error("cannot keep a request for storage commitment: {}", error.reason());
            return status::ResourceLimitation;
        default:
            log::warning("{}", error.what());
            return status::ProcessingFailure;
        }
    }
}

/// A peer that nobody knows where to call hears, where it asks again, what could not be told it before: a
/// receiver was killed.
void CommitmentScp::take_up_others()
{
    if (node_ || std::exchange(others_taken_up_, true)) {
        return;
    }
    const auto from_this_peer = [this](const PendingCommitment& pending) {
        return pending.calling_aet == settings_.calling_aet && pending.address == settings_.address;
    };
    for (auto& entry : queue_.take(from_this_peer)) {
        auto report = check_commitment(settings_.root, settings_.layout, entry.pending().request);
        waiting_.push_back(
            {.entry = std::move(entry),
             .report = std::move(report),
             .context_id = waiting_.front().context_id});
    }
}

void CommitmentScp::send(Association& association, Waiting& waiting)
{
    waiting.sent_as = ++last_message_id_;
    const auto& syntax = association.context(waiting.context_id)->transfer_syntax;
    association.send(
        waiting.context_id, commitment_event(waiting.report, waiting.sent_as),
        encode_commitment_report(waiting.report, syntax));
}

/// First the disk forgets it: to be killed in between costs an event, not a second report.
void CommitmentScp::done(std::size_t place, bool delivered)
{
    auto waiting = std::move(waiting_[place]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(place));
    waiting.entry.remove();
    on_done_(waiting.report, delivered);
}

void CommitmentScp::heard(const Command& response)
{
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
        return waiting.sent_as != 0 && waiting.sent_as == response.responds_to();
    });
    if (found != waiting_.end()) {
        note_answer(response);
        done(static_cast<std::size_t>(found - waiting_.begin()), true);
    }
}

void CommitmentScp::report_on(Association& association)
{
    const auto unsent = [](const Waiting& waiting) { return waiting.sent_as == 0; };
    if (std::none_of(waiting_.begin(), waiting_.end(), unsent) ||
        association.wait_for_input(node_ ? time_to_release : 0s)) {
        return;
    }
    for (auto& waiting : waiting_) {
        if (unsent(waiting)) {
            send(association, waiting);
        }
    }
}

/// One try. Throws Error{Peer}.
void CommitmentScp::call()
{
    CommitmentCall call{settings_.call, *node_};
    while (!waiting_.empty()) {
        call.report(waiting_.front().report);
        done(0, true);
    }
    call.release();
}

bool CommitmentScp::report_elsewhere() noexcept
try {
    for (auto pause = pauses.begin(); !waiting_.empty() && node_ && pause != pauses.end(); ++pause) {
        if (!stop::sleep(*pause)) {
            break;
        }
        try {
            call();
        } catch (const Error& error) {
            log::info("{}", error.what());
        }
    }
    while (!waiting_.empty() && !node_ && !stop::requested()) {
        done(0, false); // it went, and nobody knows where to
    }
    return !waiting_.empty();
} catch (const std::exception& error) {
    log::error("{}", error.what());
    return true;
}

} // namespace dcmpipe::net
