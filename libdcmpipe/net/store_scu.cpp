#include "net/store_scu.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

namespace dcmpipe::net {

namespace tags = dicom::tags;

namespace {

[[noreturn]] void broke_off(const Association& association, std::string_view how)
{
    throw Error{ErrorKind::Peer, "broke off with", association.peer(), how};
}

std::uint16_t receive_status(Association& association, CommandField field, std::uint16_t message_id)
{
    const auto message = association.receive();
    if (!message) {
        broke_off(association, "it released the association instead of answering");
    }
    const auto& response = message->command;
    if (response.field() != field || response.responds_to() != message_id || response.has_data_set()) {
        broke_off(association, "its answer is to something else");
    }
    if (const auto comment = response.text(tags::ErrorComment); !comment.empty()) {
        log::debug("{} comments: {}", association.peer(), log::phi(comment));
    }
    return response.status();
}

} // namespace

std::uint16_t store(
    Association& association, const Context& context, std::uint16_t message_id, std::string_view instance_uid,
    const std::function<Association::Piece()>& next)
{
    constexpr std::uint16_t medium_priority = 0;
    Command command{CommandField::CStoreRequest};
    command.set(tags::AffectedSOPClassUID, context.abstract_syntax)
        .set(tags::MessageID, message_id)
        .set(tags::Priority, medium_priority)
        .set(tags::AffectedSOPInstanceUID, instance_uid);
    try {
        association.send(context.id, std::move(command), next);
    } catch (const Error&) {
        association.abort();
        throw;
    }
    return receive_status(association, CommandField::CStoreResponse, message_id);
}

std::uint16_t echo(Association& association)
{
    const auto* const context = association.context_for(dicom::uid::Verification);
    if (context == nullptr) {
        broke_off(association, "it does not take Verification");
    }
    constexpr std::uint16_t message_id = 1;
    Command command{CommandField::CEchoRequest};
    command.set(tags::AffectedSOPClassUID, context->abstract_syntax).set(tags::MessageID, message_id);
    association.send(context->id, command);
    return receive_status(association, CommandField::CEchoResponse, message_id);
}

} // namespace dcmpipe::net
