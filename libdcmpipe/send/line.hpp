#pragma once

#include "core/throttle.hpp"
#include "net/association.hpp"
#include "net/node.hpp"
#include "net/tls.hpp"
#include "send/data_set_file.hpp"
#include "send/queue.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::send {

/// How a node is called.
struct CallSettings {
    std::string aet = "DPIPE"; ///< ours
    net::Patience patience{};
    std::uint32_t max_pdu = net::default_max_pdu;
    std::shared_ptr<const net::TlsContext> tls{}; ///< null: no TLS
    // User identity (PS3.7 §D.3.3.7) of type 2; none where empty.
    std::string user{};
    std::string passcode{};
};

/// Throws Error{Peer}.
net::Association call(
    const net::Node& node, const CallSettings& settings, const std::vector<net::ProposedContext>& contexts);

/// An association may propose no more presentation contexts (PS3.8 §7.1.1.13: odd numbers to 255).
inline constexpr std::size_t most_contexts = 128;

/// What to propose for `now`: with it what is open already and what else is wanted, as far as they fit.
Pairs choose_pairs(const Pair& now, const Pairs& open, const Pairs& wanted);

/// One association after the other with a node, for C-STORE. Not for sharing between threads.
class Line {
public:
    Line(const net::Node& node, const CallSettings& settings) : node_(node), settings_(settings) {}

    /// What the open association was made for; empty where none is.
    const Pairs& open() const noexcept { return open_; }

    /// Makes an association for `pair` where the open one is not for it. Throws Error{Peer}.
    void open_for(const Pair& pair, const Queue& queue);

    /// Why the node did not accept it; empty where it did.
    std::string refusal_of(const Pair& pair) const;

    /// C-STORE; the status of the response. Throws Error{Peer}, and what `data_set` throws.
    std::uint16_t store(const Item& item, DataSetFile& data_set, Throttle& throttle);

    /// Releases the association, if there is one. What goes wrong then is no matter.
    void hang_up() noexcept;

    /// Forgets an association that broke.
    void drop() noexcept;

private:
    const net::Context* context_for(const Pair& pair) const noexcept;

    const net::Node& node_;
    const CallSettings& settings_;
    Pairs open_;
    std::optional<net::Association> association_;
    std::uint16_t message_id_ = 0;
};

} // namespace dcmpipe::send
