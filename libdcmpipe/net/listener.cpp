#include "net/listener.hpp"

#include "core/error.hpp"
#include "net/node.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>

namespace dcmpipe::net {

namespace {

/// Long enough for a burst of modalities that all start at once.
constexpr int backlog = 512;

struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
};

std::optional<Address> address_from(const std::string& text, std::uint16_t port)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    addrinfo* found = nullptr;
    if (::getaddrinfo(text.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
        return std::nullopt;
    }
    Address address;
    address.size = found->ai_addrlen;
    const auto* const from = reinterpret_cast<const char*>(found->ai_addr);
    std::copy(from, from + address.size, reinterpret_cast<char*>(&address.bytes));
    ::freeaddrinfo(found);
    return address;
}

/// The socket, or -1 with errno set.
Fd listen_on(Address address, bool both_families)
{
    Fd fd{::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const int on = 1;
    const int off = 0;
    if (fd && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!both_families || ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        ::bind(fd.get(), address.get(), address.size) == 0 && ::listen(fd.get(), backlog) == 0) {
        return fd;
    }
    const int error = errno;
    fd.reset();
    errno = error;
    return fd;
}

/// Numeric host and port.
std::pair<std::string, std::uint16_t> text_of(Address& address)
{
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> service{};
    if (::getnameinfo(
            address.get(), address.size, host.data(), host.size(), service.data(), service.size(),
            NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return {"unknown", 0};
    }
    std::string name{host.data()};
    if (name.starts_with("::ffff:")) {
        name.erase(0, 7); // an IPv4 peer of a socket for both families
    }
    const std::string_view digits{service.data()};
    std::uint16_t port = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return {name, port};
}

bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

} // namespace

Listener::Listener(const std::string& address, std::uint16_t port)
{
    const bool any = address.empty();
    const auto name = endpoint_text(any ? "*" : address, port);
    const auto wanted = address_from(any ? "::" : address, port);
    if (!wanted) {
        throw Error{ErrorKind::Usage, "cannot listen on", name, "not a numeric address"};
    }
    fd_ = listen_on(*wanted, any);
    if (!fd_ && any && errno != EADDRINUSE && errno != EACCES) {
        fd_ = listen_on(*address_from("0.0.0.0", port), false); // a machine without IPv6
    }
    if (!fd_) {
        throw Error::from_errno(ErrorKind::Output, "cannot listen on", name);
    }
    learn_name(name);
}

Listener::Listener(Fd listening) : fd_(std::move(listening))
{
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
        ::fcntl(fd_.get(), F_SETFD, FD_CLOEXEC) != 0) {
        throw Error::from_errno(ErrorKind::Usage, "cannot listen on", "the socket passed");
    }
    learn_name("the socket passed");
}

void Listener::learn_name(const std::string& name)
{
    Address bound;
    bound.size = sizeof bound.bytes;
    if (::getsockname(fd_.get(), bound.get(), &bound.size) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot listen on", name);
    }
    std::tie(address_, port_) = text_of(bound);
}

std::optional<Listener> Listener::passed()
{
    constexpr int first_passed = 3; // sd_listen_fds(3)
    const auto number_in = [](const char* variable) {
        const char* const text = std::getenv(variable);
        long number = 0;
        if (text != nullptr) {
            std::from_chars(text, text + std::strlen(text), number);
        }
        return number;
    };
    const auto count = number_in("LISTEN_FDS");
    if (number_in("LISTEN_PID") != ::getpid() || count == 0) {
        return std::nullopt;
    }
    int listening = 0;
    socklen_t size = sizeof listening;
    if (count != 1 || ::getsockopt(first_passed, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
        listening == 0) {
        throw Error{ErrorKind::Usage, "the service manager must pass one listening stream socket"};
    }
    return Listener{Fd{first_passed}};
}

std::string Listener::endpoint() const
{
    return endpoint_text(address_, port_);
}

std::optional<Listener::Connection> Listener::accept() const
{
    Address peer;
    peer.size = sizeof peer.bytes;
    Fd socket{::accept4(fd_.get(), peer.get(), &peer.size, SOCK_CLOEXEC)};
    if (socket) {
        const auto [host, port] = text_of(peer);
        return Connection{std::move(socket), endpoint_text(host, port), host};
    }
    if (is_shortage(errno)) {
        throw Error::from_errno(ErrorKind::Internal, "cannot accept a connection on", endpoint());
    }
    return std::nullopt; // none waits, or the one that did is gone again
}

} // namespace dcmpipe::net
