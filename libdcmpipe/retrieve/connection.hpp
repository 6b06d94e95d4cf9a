#pragma once

#include "net/association.hpp"
#include "net/node.hpp"
#include "upload/retry.hpp"

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
};

/// Makes associations with one node. One that was never reached is not called twice: that is for another
/// time. Later it is, with pauses that double. Not for sharing between threads.
class Connection {
public:
    explicit Connection(ConnectionSettings settings) : settings_(std::move(settings)) {}

    /// Throws Error{Peer} where no try succeeds, Error{Cancelled} once a signal asked to stop.
    net::Association call(const std::vector<net::ProposedContext>& contexts);

    /// A pause before retry 1, 2, and so on. Throws Error{Cancelled} once a signal asked to stop.
    void pause(unsigned retry) const;

    /// False before the first call, and where the last one failed in every try.
    bool reached() const noexcept { return reached_; }

    const ConnectionSettings& settings() const noexcept { return settings_; }

private:
    net::Association try_to_call(const std::vector<net::ProposedContext>& contexts) const;

    ConnectionSettings settings_;
    bool reached_ = false;
};

/// Releases an association that has done its work: what goes wrong then is no matter.
void hang_up(net::Association& association) noexcept;

} // namespace dcmpipe::retrieve
