#include "retrieve/connection.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"
#include "net/query_scu.hpp"

#include <algorithm>
#include <random>

namespace dcmpipe::retrieve {

namespace uid = dicom::uid;

net::Association Connection::try_to_call(
    const std::vector<net::ProposedContext>& contexts, bool relational) const
{
    const auto& node = settings_.node;
    const auto until = net::Clock::now() + settings_.patience.association;
    // A signal to stop is met between messages by who waits for them: a series that is on its way comes in.
    return net::Association::request(
        net::connect(node, settings_.tls.get(), until), {.calling_aet = settings_.aet,
                                                         .called_aet = node.aet,
                                                         .max_pdu = settings_.max_pdu,
                                                         .patience = settings_.patience,
                                                         .contexts = contexts,
                                                         .relational = relational});
}

net::Association Connection::call(const std::vector<net::ProposedContext>& contexts, bool relational)
{
    for (unsigned retry = 1;; ++retry) {
        try {
            auto association = try_to_call(contexts, relational);
            reached_ = true;
            return association;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Peer || !reached_ || retry > settings_.retries) {
                reached_ = false;
                throw;
            }
            log::warning("{}; trying again", error.what());
        }
        pause(retry);
    }
}

double Connection::delay(unsigned retry) const
{
    static thread_local std::minstd_rand chance{std::random_device{}()};
    const double between_0_and_1 = std::uniform_real_distribution<>{0, 1}(chance);
    return settings_.backoff.delay(retry, between_0_and_1, 0);
}

void Connection::sleep(double seconds) const
{
    if (!stop::sleep(seconds)) {
        throw Error{ErrorKind::Cancelled, "stopping"};
    }
}

void Connection::pause(unsigned retry)
{
    level_ = std::max(level_ + 1, retry);
    rested_ = true;
    sleep(delay(level_));
}

void Connection::wait_turn()
{
    if (level_ > 0 && !rested_) {
        sleep(delay(level_));
    }
    rested_ = false;
    if (settings_.gap > 0) {
        const auto now = net::Clock::now();
        if (now < next_) {
            sleep(std::chrono::duration<double>(next_ - now).count());
        }
        next_ = net::Clock::now() + std::chrono::duration_cast<net::Clock::duration>(
                                        std::chrono::duration<double>{settings_.gap});
    }
}

bool Connection::answers()
{
    try {
        auto association = try_to_call(
            {{.abstract_syntax = std::string{uid::Verification},
              .transfer_syntaxes = {std::string{dicom::transfer_syntax::ImplicitVRLittleEndian}}}},
            false);
        const auto* const context = association.context_for(uid::Verification);
        const bool well = context != nullptr && net::echo(association, *context);
        hang_up(association);
        reached_ = reached_ || well;
        return well;
    } catch (const Error& error) {
        log::info("{}", error.what());
        return false;
    }
}

void hang_up(net::Association& association) noexcept
try {
    association.release();
} catch (const Error& error) {
    log::debug("{}", error.what());
}

} // namespace dcmpipe::retrieve
