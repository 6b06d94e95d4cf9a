#include "send/commitment_message.hpp"

#include "core/error.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>

#include <sys/random.h>

#include <fmt/format.h>

namespace dcmpipe::send {

namespace tags = dicom::tags;
using net::Association;
using net::Command;
using net::CommandField;

namespace {

constexpr std::uint16_t request_storage_commitment = 1; ///< Action Type ID
constexpr std::size_t longest_report = 16U << 20U;

[[noreturn]] void broke_off(const Association& association, std::string_view how)
{
    throw Error{ErrorKind::Peer, "broke off with", association.peer(), how};
}

} // namespace

std::string new_transaction_uid()
{
    std::array<std::uint8_t, 16> uuid{};
    if (::getrandom(uuid.data(), uuid.size(), 0) != static_cast<ssize_t>(uuid.size())) {
        throw Error::from_errno(ErrorKind::Internal, "cannot make", "a UID");
    }
    return dicom::uid::from_uuid(uuid);
}

std::uint16_t request_commitment(
    Association& association, const net::Context& context, const net::CommitmentRequest& request)
{
    constexpr std::uint16_t message_id = 1;
    Command command{CommandField::NActionRequest};
    command.set(tags::RequestedSOPClassUID, net::CommitmentClass)
        .set(tags::MessageID, message_id)
        .set(tags::RequestedSOPInstanceUID, net::CommitmentInstance)
        .set(tags::ActionTypeID, request_storage_commitment);
    association.send(
        context.id, std::move(command), net::encode_commitment_request(request, context.transfer_syntax));
    const auto response = association.receive();
    if (!response || response->command.field() != CommandField::NActionResponse ||
        response->command.responds_to() != message_id) {
        broke_off(association, "it did not answer a request for storage commitment");
    }
    if (response->command.has_data_set()) {
        association.receive_data_set(*response, [](std::string_view /*piece*/) {});
    }
    return response->command.status();
}

net::CommitmentReport receive_report(Association& association, const Association::Message& message)
{
    if (message.command.field() != CommandField::NEventReportRequest || !message.command.has_data_set()) {
        broke_off(association, "it sent " + net::name_of(message.command.field()) + " out of turn");
    }
    std::string bytes;
    association.receive_data_set(message, [&](std::string_view piece) {
        if (bytes.size() + piece.size() > longest_report) {
            broke_off(association, "its report is too long");
        }
        bytes.append(piece);
    });
    const auto& syntax = association.context(message.context_id)->transfer_syntax;
    auto report = net::parse_commitment_report(bytes, syntax);
    association.send(
        message.context_id, Command::response_to(message.command, net::status::Success)
                                .set(tags::EventTypeID, message.command.number(tags::EventTypeID, 1)));
    return report;
}

std::string describe_failure(std::uint16_t reason)
{
    constexpr std::array<std::pair<std::uint16_t, std::string_view>, 6> known{{
        {0x0110, "processing failure"},
        {0x0112, "it does not have the instance"},
        {0x0119, "it has the instance under another SOP class"},
        {0x0122, "SOP class not supported"},
        {0x0131, "the transaction UID is in use"},
        {0x0213, "out of resources"},
    }};
    const auto* const found =
        std::find_if(known.begin(), known.end(), [&](const auto& row) { return row.first == reason; });
    return fmt::format("{:04X}H, {}", reason, found != known.end() ? found->second : "a failure");
}

} // namespace dcmpipe::send
