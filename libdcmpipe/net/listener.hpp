#pragma once

#include "core/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe::net {

/// A listening TCP socket.
class Listener {
public:
    /// On `address`, numeric; where it is empty on every address, IPv6 and IPv4. Port 0 takes a free one.
    /// Throws Error{Output}: the address is none of this machine's, the port is taken or not allowed.
    Listener(const std::string& address, std::uint16_t port);

    /// The socket that a service manager opened for us (sd_listen_fds(3)); nothing where there is none.
    /// Throws Error{Usage} where it passes more than one, or something else.
    static std::optional<Listener> passed();

    int fd() const noexcept { return fd_.get(); }
    std::uint16_t port() const noexcept { return port_; }

    /// `127.0.0.1:11112`
    std::string endpoint() const;

    struct Connection {
        Fd socket;
        std::string peer;    ///< its address and port
        std::string address; ///< its address alone
    };

    /// The next connection that waits; nothing where none does (any more).
    /// Throws Error{Internal} where this process or machine has no more sockets: wait before the next try.
    std::optional<Connection> accept() const;

    /// No more connections from now on.
    void close() { fd_.reset(); }

private:
    explicit Listener(Fd listening);
    void learn_name(const std::string& name);

    Fd fd_;
    std::string address_;
    std::uint16_t port_ = 0;
};

} // namespace dcmpipe::net
