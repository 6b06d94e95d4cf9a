#include "retrieve/asker.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"
#include "retrieve/identifier.hpp"

namespace dcmpipe::retrieve {

namespace uid = dicom::uid;

bool is_out_of_resources(std::uint16_t status) noexcept
{
    return (status & 0xff00U) == net::status::OutOfResources;
}

/// An association that lay idle may be gone by now: the first failure is met with a new one, more with
/// pauses. Answers that came before it come again.
net::QueryOutcome Asker::ask(const Query& query, const OnAnswer& on_answer)
{
    for (unsigned retry = 0;; ++retry) {
        if (retry > 1) {
            connection_.pause(retry - 1);
        }
        try {
            auto outcome = ask_once(query, on_answer, retry > 0);
            if (is_out_of_resources(outcome.status) && outcome.answers == 0 && retry == 0) {
                connection_.pause(1); // it may only be busy
                continue;
            }
            connection_.went_well();
            return outcome;
        } catch (const Error& error) {
            association_.reset();
            if (error.kind() != ErrorKind::Peer || !connection_.reached() ||
                retry > connection_.settings().retries) {
                throw;
            }
            log::warning("{}; asking again", error.what());
        }
    }
}

net::Association& Asker::association()
{
    using namespace dicom::transfer_syntax;
    if (!association_) {
        association_.emplace(connection_.call(
            {{.abstract_syntax = std::string{uid::StudyRootFind},
              .transfer_syntaxes =
                  {std::string{ExplicitVRLittleEndian}, std::string{ImplicitVRLittleEndian}}}},
            settings_.ask_for_relational));
    }
    return *association_;
}

bool Asker::is_relational()
{
    return settings_.relational || (settings_.ask_for_relational && association().is_relational());
}

net::QueryOutcome Asker::ask_once(const Query& query, const OnAnswer& on_answer, bool again)
{
    connection_.wait_turn();
    const auto* const context = association().context_for(uid::StudyRootFind);
    if (context == nullptr) {
        throw Error{
            ErrorKind::Usage, "cannot query", association_->peer(),
            "it does not offer C-FIND of the Study Root model to us"};
    }
    const auto identifier =
        encode_identifier(query.keys, query.level, context->transfer_syntax, settings_.character_set);
    constexpr std::uint64_t too_many = 200'000; // more than any limit that nodes are set to
    std::uint64_t repeated = 0;
    auto outcome = net::find(
        *association_, *context, identifier,
        [&](std::string_view answer) {
            const bool is_new = on_answer(
                decode_identifier(answer, context->transfer_syntax, settings_.answer_character_set));
            repeated = is_new ? 0 : repeated + 1;
            return again || repeated < too_many;
        },
        stop::requested);
    if (outcome.status == net::status::Cancelled) {
        release();
        if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopping"};
        }
        if (repeated >= too_many) {
            throw Error{
                ErrorKind::Input, "cannot query", node(), "it gives the same answers again and again"};
        }
    }
    return outcome;
}

void Asker::release()
{
    if (association_) {
        hang_up(*association_);
        association_.reset();
    }
}

} // namespace dcmpipe::retrieve
