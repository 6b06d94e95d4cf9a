#include "net/commitment_scp.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"
#include "net/commitment_check.hpp"

#include <algorithm>
#include <array>

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
    : settings_(std::move(settings)), on_done_(std::move(on_done))
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
    try {
        node_ = settings_.node ? settings_.node() : std::nullopt;
        const auto request = parse_commitment_request(data_set, context.transfer_syntax);
        waiting_.push_back(
            {.report = check_commitment(settings_.root, settings_.layout, request),
             .context_id = context.id,
             .transfer_syntax = context.transfer_syntax});
        return status::Success;
    } catch (const Error& error) {
        log::warning("{}", error.what());
        return error.kind() == ErrorKind::Peer ? status::InvalidArgument : status::ProcessingFailure;
    }
}

void CommitmentScp::send(
    Association& association, Waiting& waiting, std::uint8_t context_id, std::string_view syntax)
{
    waiting.sent_as = ++last_message_id_;
    Command command{CommandField::NEventReportRequest};
    command.set(tags::AffectedSOPClassUID, CommitmentClass)
        .set(tags::AffectedSOPInstanceUID, CommitmentInstance)
        .set(tags::MessageID, waiting.sent_as)
        .set(tags::EventTypeID, waiting.report.event_type());
    association.send(context_id, std::move(command), encode_commitment_report(waiting.report, syntax));
}

void CommitmentScp::heard(const Command& response)
{
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
        return waiting.sent_as != 0 && waiting.sent_as == response.responds_to();
    });
    if (found != waiting_.end()) {
        if (response.status() != status::Success) {
            log::warning(
                "a report of storage commitment was answered with {}", status_text(response.status()));
        }
        on_done_(found->report, true);
        waiting_.erase(found);
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
            send(association, waiting, waiting.context_id, waiting.transfer_syntax);
        }
    }
}

/// One try. Throws Error{Peer}.
void CommitmentScp::call()
{
    const auto& node = *node_;
    using namespace dicom::transfer_syntax;
    auto association = Association::request(
        settings_.connect(node),
        {.calling_aet = settings_.aet,
         .called_aet = node.aet,
         .patience = settings_.patience,
         .contexts =
             {{.abstract_syntax = std::string{CommitmentClass},
               .transfer_syntaxes =
                   {std::string{ExplicitVRLittleEndian}, std::string{ImplicitVRLittleEndian}},
               .as_scp = true}},
         .stop_waiting = stop::requested});
    const auto* const context = association.context_for(CommitmentClass);
    if (context == nullptr) {
        throw Error{
            ErrorKind::Peer, "cannot report to", association.peer(), "it takes no storage commitment"};
    }
    while (!waiting_.empty()) {
        const auto left = waiting_.size();
        send(association, waiting_.front(), context->id, context->transfer_syntax);
        const auto response = association.receive();
        if (response && response->command.field() == CommandField::NEventReportResponse) {
            heard(response->command);
        }
        if (waiting_.size() == left) {
            throw Error{ErrorKind::Peer, "cannot report to", association.peer(), "it does not answer"};
        }
    }
    association.release();
}

void CommitmentScp::report_elsewhere() noexcept
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
    for (const auto& waiting : waiting_) {
        on_done_(waiting.report, false);
    }
    waiting_.clear();
} catch (const std::exception& error) {
    log::error("{}", error.what());
}

} // namespace dcmpipe::net
