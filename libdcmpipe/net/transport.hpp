#pragma once

#include "core/fd.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace dcmpipe::net {

/// Monotonic: a clock that is set does not touch it.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

/// A connected stream of bytes under an association: TCP here, TLS over it elsewhere. Not for sharing
/// between threads. Reading and writing throw Error{Peer} where the connection broke or time is over.
class Transport {
public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport();

    /// At least one byte and at most `size`; 0 where the peer has closed.
    virtual std::size_t read(char* to, std::size_t size, TimePoint until) = 0;

    /// All of `bytes`.
    virtual void write(std::string_view bytes, TimePoint until) = 0;

    /// True once read() has something to give, or the end to tell; false where there was nothing in time, or
    /// a signal came first.
    virtual bool readable(TimePoint until) = 0;

    /// Before it is closed against the peer's will: waits until `until` for the peer to take what was
    /// written. What it has not taken by then is thrown away, and closing tells it so by a reset.
    virtual void settle(TimePoint until) noexcept = 0;

    /// To poll for reading. Bytes may also wait inside the transport: ask readable() first.
    virtual int fd() const noexcept = 0;

    /// The peer's address and port, for people.
    virtual const std::string& peer() const noexcept = 0;
};

/// A connected TCP socket. Each write goes out at once, and half a message is acknowledged at once:
/// associations talk in turns, where Nagle's algorithm and delayed acknowledgements wait for each other.
///
/// What a peer does not take is not kept for it: where a write ran out of time, closing resets the
/// connection, so that the peer learns of it and the system's buffers are free; what it has not taken ten
/// seconds after an orderly end is dropped.
class TcpTransport : public Transport {
public:
    /// `peer` is its address for people.
    TcpTransport(Fd socket, std::string peer);
    ~TcpTransport() override;

    std::size_t read(char* to, std::size_t size, TimePoint until) override;
    void write(std::string_view bytes, TimePoint until) override;
    bool readable(TimePoint until) override;
    void settle(TimePoint until) noexcept override;
    int fd() const noexcept override { return socket_.get(); }
    const std::string& peer() const noexcept override { return peer_; }

private:
    Fd socket_;
    std::string peer_;
};

/// Connects to `host`, a name or an address: each of its addresses, IPv6 and IPv4, is tried in turn.
/// Throws Error{Peer}.
std::unique_ptr<Transport> connect_tcp(const std::string& host, std::uint16_t port, TimePoint until);

} // namespace dcmpipe::net
