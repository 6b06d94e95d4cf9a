#include "retrieve/connection.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"

#include <random>

namespace dcmpipe::retrieve {

net::Association Connection::try_to_call(const std::vector<net::ProposedContext>& contexts) const
{
    const auto& node = settings_.node;
    auto transport =
        net::connect_tcp(node.host, node.port, net::Clock::now() + settings_.patience.association);
    return net::Association::request(
        std::move(transport), {.calling_aet = settings_.aet,
                               .called_aet = node.aet,
                               .max_pdu = settings_.max_pdu,
                               .patience = settings_.patience,
                               .contexts = contexts,
                               .stop_waiting = stop::requested});
}

net::Association Connection::call(const std::vector<net::ProposedContext>& contexts)
{
    for (unsigned retry = 1;; ++retry) {
        try {
            auto association = try_to_call(contexts);
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

void Connection::pause(unsigned retry) const
{
    static thread_local std::minstd_rand chance{std::random_device{}()};
    const double between_0_and_1 = std::uniform_real_distribution<>{0, 1}(chance);
    if (!stop::sleep(settings_.backoff.delay(retry, between_0_and_1, 0))) {
        throw Error{ErrorKind::Cancelled, "stopping"};
    }
}

void hang_up(net::Association& association) noexcept
try {
    association.release();
} catch (const Error& error) {
    log::debug("{}", error.what());
}

} // namespace dcmpipe::retrieve
