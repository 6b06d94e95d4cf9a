#include "net/commitment_call.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"

namespace dcmpipe::net {

namespace tags = dicom::tags;

namespace {

Association::RequestSettings request_settings(const CommitmentCall::Settings& settings, const Node& node)
{
    using namespace dicom::transfer_syntax;
    return {
        .calling_aet = settings.aet,
        .called_aet = node.aet,
        .patience = settings.patience,
        .contexts =
            {{.abstract_syntax = std::string{CommitmentClass},
              .transfer_syntaxes = {std::string{ExplicitVRLittleEndian}, std::string{ImplicitVRLittleEndian}},
              .as_scp = true}},
        .stop_waiting = stop::requested};
}

} // namespace

Command commitment_event(const CommitmentReport& report, std::uint16_t message_id)
{
    Command command{CommandField::NEventReportRequest};
    command.set(tags::AffectedSOPClassUID, CommitmentClass)
        .set(tags::AffectedSOPInstanceUID, CommitmentInstance)
        .set(tags::MessageID, message_id)
        .set(tags::EventTypeID, report.event_type());
    return command;
}

void note_answer(const Command& response)
{
    if (response.status() != status::Success) {
        log::warning("a report of storage commitment was answered with {}", status_text(response.status()));
    }
}

CommitmentCall::CommitmentCall(const Settings& settings, const Node& node)
    : association_(Association::request(settings.connect(node), request_settings(settings, node)))
{
    if (association_.context_for(CommitmentClass) == nullptr) {
        throw Error{
            ErrorKind::Peer, "cannot report to", association_.peer(), "it takes no storage commitment"};
    }
}

void CommitmentCall::report(const CommitmentReport& report)
{
    const auto& context = *association_.context_for(CommitmentClass);
    const auto id = ++last_message_id_;
    association_.send(
        context.id, commitment_event(report, id), encode_commitment_report(report, context.transfer_syntax));
    const auto response = association_.receive();
    if (!response || response->command.field() != CommandField::NEventReportResponse ||
        response->command.responds_to() != id) {
        throw Error{ErrorKind::Peer, "cannot report to", association_.peer(), "it does not answer"};
    }
    note_answer(response->command);
}

} // namespace dcmpipe::net
