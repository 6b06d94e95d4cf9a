#include "net/query_scu.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "dicom/tags.hpp"

#include <poll.h>

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

/// A cancellation on its way: the peer was told, and has that long.
class Cancellation {
public:
    bool begun() const { return until_ != TimePoint::max(); }

    void begin(Association& association, const Context& context, std::uint16_t message_id)
    {
        Command command{CommandField::CCancelRequest};
        command.set(tags::MessageIDBeingRespondedTo, message_id);
        association.send(context.id, command);
        until_ = Clock::now() + time_to_cancel;
    }

    /// False where the peer goes on and on: it was aborted.
    bool waits(Association& association) const
    {
        if (Clock::now() <= until_) {
            return true;
        }
        log::info("{} does not let a query be cancelled: aborting", association.peer());
        association.abort();
        return false;
    }

private:
    TimePoint until_ = TimePoint::max();
};

/// Returns after a second at most, and at once when there is something to read.
void wait_a_little(const Association& association)
{
    pollfd polled{association.fd(), POLLIN, 0};
    ::poll(&polled, 1, 1000);
}

void check_silence(const Association& association, TimePoint since, std::string_view what)
{
    if (Clock::now() - since > association.patience().idle) {
        throw Error{ErrorKind::Peer, "gave up on", association.peer(), what};
    }
}

/// Sees to it that sub-operations get on.
class Headway {
public:
    explicit Headway(const Association& association) : association_(association) {}

    void made() { last_ = Clock::now(); }

    void check(const QueryOutcome& outcome, std::uint64_t left)
    {
        const auto now = outcome.completed + outcome.failed + outcome.warned + left;
        if (now != sum_) {
            sum_ = now;
            made();
        }
        check_silence(association_, last_, "it says that it goes on, but does not");
    }

private:
    const Association& association_;
    TimePoint last_ = Clock::now();
    std::uint64_t sum_ = 0;
};

} // namespace

QueryOutcome find(
    Association& association, const Context& context, std::string_view identifier, const OnAnswer& on_answer,
    const std::function<bool()>& stopping)
{
    constexpr std::uint16_t id = 1;
    association.send(context.id, request(CommandField::CFindRequest, context, id), identifier);
    QueryOutcome outcome;
    Cancellation cancellation;
    auto last_sign = Clock::now();
    for (;;) {
        if (!cancellation.begun() && stopping && stopping()) {
            cancellation.begin(association, context, id);
        }
        if (!cancellation.waits(association)) {
            outcome.status = status::Cancelled;
            return outcome;
        }
        if (!association.has_input()) {
            check_silence(association, last_sign, "it was silent for too long");
            wait_a_little(association);
            continue;
        }
        const auto message = receive_response(association, CommandField::CFindResponse, nothing_else);
        const auto answer = receive_identifier(association, message);
        last_sign = Clock::now();
        note(message.command, outcome);
        if (!status::is_pending(outcome.status)) {
            outcome.status = cancellation.begun() ? status::Cancelled : outcome.status;
            return outcome;
        }
        if (!cancellation.begun()) {
            ++outcome.answers;
            if (!on_answer(answer)) {
                cancellation.begin(association, context, id);
            }
        }
    }
}

QueryOutcome get(
    Association& association, const Context& context, std::string_view identifier, StorageScp& scp)
{
    association.send(context.id, request(CommandField::CGetRequest, context, 1), identifier);
    QueryOutcome outcome;
    Headway headway{association};
    do {
        const auto message =
            receive_response(association, CommandField::CGetResponse, [&](const Association::Message& other) {
                const bool store = other.command.field() == CommandField::CStoreRequest;
                if (store) {
                    scp.answer(association, other);
                    headway.made();
                }
                return store;
            });
        outcome.identifier = receive_identifier(association, message);
        note(message.command, outcome);
        headway.check(outcome, message.command.number(tags::NumberOfRemainingSuboperations, 0));
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
    Headway headway{association};
    do {
        const auto silent_since = Clock::now();
        while (!association.has_input()) {
            serve_others(association, silent_since);
        }
        const auto message = receive_response(association, CommandField::CMoveResponse, nothing_else);
        outcome.identifier = receive_identifier(association, message);
        note(message.command, outcome);
        headway.check(outcome, message.command.number(tags::NumberOfRemainingSuboperations, 0));
    } while (status::is_pending(outcome.status));
    return outcome;
}

bool echo(Association& association, const Context& context)
{
    Command command{CommandField::CEchoRequest};
    command.set(tags::AffectedSOPClassUID, context.abstract_syntax).set(tags::MessageID, std::uint16_t{1});
    association.send(context.id, command);
    const auto response = receive_response(association, CommandField::CEchoResponse, nothing_else);
    return response.command.status() == status::Success;
}

} // namespace dcmpipe::net
