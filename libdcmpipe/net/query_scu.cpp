#include "net/query_scu.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "dicom/tags.hpp"

namespace dcmpipe::net {

namespace tags = dicom::tags;

namespace {

using namespace std::chrono_literals;

/// Nobody answers with more; it is held in memory.
constexpr std::size_t longest_answer = 1U << 20U;
constexpr std::uint16_t medium_priority = 0;
constexpr auto time_to_cancel = 5s;

Command request(CommandField field, const Context& context, std::uint16_t message_id)
{
    Command command{field};
    command.set(tags::AffectedSOPClassUID, context.abstract_syntax)
        .set(tags::MessageID, message_id)
        .set(tags::Priority, medium_priority);
    return command;
}

std::string receive_identifier(Association& association, const Association::Message& message)
{
    std::string bytes;
    if (message.command.has_data_set()) {
        association.receive_data_set(message, [&](std::string_view piece) {
            if (bytes.size() + piece.size() > longest_answer) {
                throw Error{ErrorKind::Peer, "broke off with", association.peer(), "its answer is too long"};
            }
            bytes.append(piece);
        });
    }
    return bytes;
}

Association::Message receive_response(
    Association& association, CommandField field,
    const std::function<bool(const Association::Message&)>& other)
{
    for (;;) {
        auto message = association.receive();
        if (!message) {
            throw Error{
                ErrorKind::Peer, "broke off with", association.peer(),
                "it released the association before its final answer"};
        }
        if (message->command.field() == field) {
            return std::move(*message);
        }
        if (!other(*message)) {
            throw Error{
                ErrorKind::Peer, "broke off with", association.peer(),
                "it sent " + name_of(message->command.field()) + " out of turn"};
        }
    }
}

bool nothing_else(const Association::Message& /*message*/)
{
    return false;
}

void note(const Command& response, QueryOutcome& outcome)
{
    outcome.status = response.status();
    outcome.comment = response.text(tags::ErrorComment);
    const auto take = [&](dicom::Tag tag, unsigned& count) {
        count = response.number(tag, static_cast<std::uint16_t>(count));
    };
    take(tags::NumberOfCompletedSuboperations, outcome.completed);
    take(tags::NumberOfFailedSuboperations, outcome.failed);
    take(tags::NumberOfWarningSuboperations, outcome.warned);
}

void cancel(Association& association, const Context& context, std::uint16_t message_id)
{
    Command command{CommandField::CCancelRequest};
    command.set(tags::MessageIDBeingRespondedTo, message_id);
    association.send(context.id, command);
}

} // namespace

QueryOutcome find(
    Association& association, const Context& context, std::string_view identifier, const OnAnswer& on_answer)
{
    constexpr std::uint16_t id = 1;
    association.send(context.id, request(CommandField::CFindRequest, context, id), identifier);
    QueryOutcome outcome;
    bool wanted = true;
    TimePoint cancelled_until{};
    for (;;) {
        const auto message = receive_response(association, CommandField::CFindResponse, nothing_else);
        const auto answer = receive_identifier(association, message);
        note(message.command, outcome);
        if (!status::is_pending(outcome.status)) {
            return outcome;
        }
        if (wanted) {
            ++outcome.answers;
            wanted = on_answer(answer);
            if (!wanted) {
                cancel(association, context, id);
                cancelled_until = Clock::now() + time_to_cancel;
            }
        } else if (Clock::now() > cancelled_until) {
            throw Error{
                ErrorKind::Peer, "broke off with", association.peer(),
                "it does not let a query be cancelled"};
        }
    }
}

QueryOutcome get(
    Association& association, const Context& context, std::string_view identifier, StorageScp& scp)
{
    association.send(context.id, request(CommandField::CGetRequest, context, 1), identifier);
    QueryOutcome outcome;
    do {
        const auto message =
            receive_response(association, CommandField::CGetResponse, [&](const Association::Message& other) {
                const bool store = other.command.field() == CommandField::CStoreRequest;
                if (store) {
                    scp.answer(association, other);
                }
                return store;
            });
        static_cast<void>(receive_identifier(association, message)); // the failed UIDs: ours are counted
        note(message.command, outcome);
    } while (status::is_pending(outcome.status));
    return outcome;
}

QueryOutcome move(
    Association& association, const Context& context, std::string_view identifier,
    std::string_view destination, const std::function<void(const Association&, TimePoint)>& serve_others)
{
    auto command = request(CommandField::CMoveRequest, context, 1);
    command.set(tags::MoveDestination, destination);
    association.send(context.id, command, identifier);
    QueryOutcome outcome;
    do {
        const auto silent_since = Clock::now();
        while (!association.has_input()) {
            serve_others(association, silent_since);
        }
        const auto message = receive_response(association, CommandField::CMoveResponse, nothing_else);
        static_cast<void>(receive_identifier(association, message));
        note(message.command, outcome);
    } while (status::is_pending(outcome.status));
    return outcome;
}

} // namespace dcmpipe::net
