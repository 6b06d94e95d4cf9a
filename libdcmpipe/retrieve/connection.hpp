#pragma once

#include "net/association.hpp"
#include "net/node.hpp"
#include "net/tls.hpp"
#include "upload/retry.hpp"

#include <memory>
#include <string>
#include <vector>

namespace dcmpipe::retrieve {

/// The node to ask, and how patiently.
struct ConnectionSettings {
    net::Node node;
    std::string aet = "DPIPE"; ///< ours
    net::Patience patience{};
    std::uint32_t max_pdu = net::default_max_pdu;
    unsigned retries = 3; ///< after the first try
    upload::Backoff backoff{.first = 1, .longest = 900};
    double gap = 0;                               ///< seconds from one request to the next, at least
    std::shared_ptr<const net::TlsContext> tls{}; ///< without it associations are in clear
    bool reached = false;                         ///< somebody reached the node before
};

/// Makes associations with one node. One that was never reached is not called twice: that is for another
/// time. Later it is, with pauses that double while it is busy and halve once it is not. Not for sharing
/// between threads.
class Connection {
public:
    explicit Connection(ConnectionSettings settings)
        : settings_(std::move(settings)), reached_(settings_.reached)
    {
    }

    /// Throws Error{Peer} where no try succeeds, Error{Cancelled} once a signal asked to stop.
    net::Association call(const std::vector<net::ProposedContext>& contexts, bool relational = false);

    /// A pause before retry 1, 2, and so on. Throws Error{Cancelled} once a signal asked to stop.
    void pause(unsigned retry);

    /// Before each request: what it takes to be no burden. Throws as pause().
    void wait_turn();

    /// After a request that the node did what it should for.
    void went_well() noexcept { level_ -= level_ > 0 ? 1 : 0; }

    /// C-ECHO: the node is there.
    bool answers();

    /// False before the first call, and where the last one failed in every try.
    bool reached() const noexcept { return reached_; }

    const ConnectionSettings& settings() const noexcept { return settings_; }

private:
    net::Association try_to_call(const std::vector<net::ProposedContext>& contexts, bool relational) const;
    void sleep(double seconds) const;
    double delay(unsigned retry) const;

    ConnectionSettings settings_;
    bool reached_ = false;
    unsigned level_ = 0;    ///< of pauses: how often it was busy lately
    bool rested_ = false;   ///< a pause was just made
    net::TimePoint next_{}; ///< no request before
};

/// Releases an association that has done its work: what goes wrong then is no matter.
void hang_up(net::Association& association) noexcept;

} // namespace dcmpipe::retrieve
