#pragma once

#include "net/command.hpp"
#include "net/transport.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::net {

/// (PS3.8 §D.1) The longest PDU that we read, header apart.
inline constexpr std::uint32_t default_max_pdu = 131072; ///< and the longest
inline constexpr std::uint32_t least_max_pdu = 4096;

/// Throws Error{Usage} where a PDU of this length is not in between.
void check_max_pdu(std::uint32_t max_pdu);

/// How long a peer may take. A message that has begun may take `message` and one second more for every
/// `least_rate` bytes of it, so that neither a large instance nor a trickle decides for itself.
struct Patience {
    std::chrono::seconds association{30}; ///< to negotiate, and to release or abort
    std::chrono::seconds idle{60};        ///< between messages
    std::chrono::seconds message{60};
    std::chrono::seconds in_all{0}; ///< for the whole association; 0: as long as it takes
    double least_rate = 1024;

    /// All of them from the one number that users give.
    static Patience of(std::chrono::seconds timeout);
};

/// A presentation context as it was proposed (PS3.8 §7.1.1.13).
struct ProposedContext {
    std::string abstract_syntax;
    std::vector<std::string> transfer_syntaxes;
    // The roles that the requestor asks for (PS3.7 §D.3.3.4).
    bool as_scp = false; ///< to be called back: the requestor of C-GET stores what comes
    bool as_scu = true;
};

/// A presentation context that both sides agreed on.
struct Context {
    std::uint8_t id = 0;
    std::string abstract_syntax;
    std::string transfer_syntax;
};

/// A presentation context that the peer did not accept.
struct RefusedContext {
    std::string abstract_syntax;
    std::string transfer_syntax; ///< the first that was proposed
    std::string_view reason;     ///< PS3.8 Table 9-18
};

/// Why an association is not wanted (PS3.8 Table 9-21).
enum class RejectReason {
    NotAllowed,   ///< permanent, by the user: no reason given
    CallingAet,   ///< permanent, by the user: calling AE title not recognized
    CalledAet,    ///< permanent, by the user: called AE title not recognized
    Congestion,   ///< transient, by the provider: temporary congestion
    LimitReached, ///< transient, by the provider: local limit exceeded
};

struct Rejection {
    RejectReason reason = RejectReason::NotAllowed;
    std::string text{};  ///< for our log: it does not reach the peer
    std::string limit{}; ///< the limit that was reached, by its option; where one was
};

/// Who asks for an association.
struct Caller {
    std::string calling_aet; ///< printable
    std::string called_aet;
    // User identity (PS3.7 §D.3.3.7) of type 2; empty where it gave none, or one of another type.
    std::string user{};
    std::string passcode{};
};

/// One association (PS3.8) over a transport, for either side, and the messages on it (PS3.7).
///
/// Commands are parsed flat and capped, data sets pass through as bytes, in any transfer syntax: no data
/// set of a peer is interpreted here. Not for sharing between threads, nor may two threads accept
/// associations at once. Members throw Error{Peer} where the peer breaks off, breaks the protocol or takes
/// too long; after that only abort() is left.
class Association {
public:
    struct AcceptSettings {
        std::uint32_t max_pdu = default_max_pdu;
        Patience patience{};
        /// Asked first, once the request is read; where it is not admitted, accept() throws Error{Refused}
        /// with the text, after the peer was told.
        std::function<std::optional<Rejection>(const Caller&)> admit{};
        /// The transfer syntax to accept for what is proposed; empty refuses the abstract syntax.
        std::function<std::string(const ProposedContext&)> choose;
        /// Lets a peer that calls be the SCP (PS3.7 §D.3.3.4): it brings reports (N-EVENT-REPORT).
        bool peer_may_serve = false;
        /// The Service Class Application Information to answer what a peer says of an accepted SOP class (SOP
        /// Class Extended Negotiation, PS3.7 §D.3.3.5); without it nothing is answered, which says the same
        /// as having no opinion.
        std::function<std::string(std::string_view sop_class_uid)> extend{};
        /// Asked before each message and once a second while none comes; true ends it with Error{Cancelled}.
        std::function<bool()> stop_waiting{};
    };

    struct RequestSettings {
        std::string calling_aet;
        std::string called_aet;
        std::uint32_t max_pdu = default_max_pdu;
        Patience patience{};
        std::vector<ProposedContext> contexts; ///< 128 at most; numbered 1, 3, 5 and so on
        // User identity (PS3.7 §D.3.3.7) of type 2; none where empty.
        std::string user{};
        std::string passcode{};
        /// Ask for relational queries in the first context (PS3.4 §C.5.1.1); see is_relational().
        bool relational = false;
        std::function<bool()> stop_waiting{};
    };

    /// Negotiates what the peer at the other end of `transport` requests.
    static Association accept(std::unique_ptr<Transport> transport, const AcceptSettings& settings);

    /// Requests an association; throws where it is rejected, with the reason.
    static Association request(std::unique_ptr<Transport> transport, const RequestSettings& settings);

    Association(Association&&) noexcept;
    Association& operator=(Association&&) noexcept;
    /// Closes the connection; without release() the peer takes that for an abort.
    ~Association();

    const std::string& calling_aet() const noexcept;
    const std::string& called_aet() const noexcept;
    const std::string& peer() const noexcept;
    const Patience& patience() const noexcept;

    /// The accepted context of this number; null where there is none.
    const Context* context(std::uint8_t id) const noexcept;
    /// The first accepted context for this abstract syntax; null where there is none.
    const Context* context_for(std::string_view abstract_syntax) const noexcept;
    const std::vector<Context>& contexts() const noexcept;
    /// For the side that requested it.
    const std::vector<RefusedContext>& refused() const noexcept;

    /// The peer agreed to relational queries in the context that asked for them.
    bool is_relational() const noexcept;

    struct Message {
        std::uint8_t context_id;
        Command command;
    };

    /// The next command; nothing where the peer released the association (which was acknowledged).
    std::optional<Message> receive();

    /// The data set that follows `message`, piece by piece as it comes. Every piece is taken.
    void receive_data_set(const Message& message, const std::function<void(std::string_view)>& take);

    void send(std::uint8_t context_id, const Command& command);
    void send(std::uint8_t context_id, Command command, std::string_view data_set);

    struct Piece {
        std::string_view bytes;
        bool last = false;
    };
    /// With a data set that is not in memory: `next` gives its pieces. What it throws goes through; then only
    /// abort() is left.
    void send(std::uint8_t context_id, Command command, const std::function<Piece()>& next);

    /// Ends it in order; for the side that requested it.
    void release();

    /// Ends it at once. Never throws; an association that is over already stays so.
    void abort() noexcept;

    /// To poll while waiting for a message together with something else.
    int fd() const noexcept;
    /// receive() would find (the start of) a message.
    bool has_input() const;
    /// Waits for has_input(); false where there is none in time, or a signal came first.
    bool wait_for_input(std::chrono::milliseconds time) const;

private:
    struct Impl;
    explicit Association(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::net
