#include "net/transport.hpp"

#include "core/error.hpp"
#include "net/node.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

[[noreturn]] void fail(std::string_view doing, const std::string& peer, std::string_view reason)
{
    throw Error{ErrorKind::Peer, doing, peer, reason};
}

std::string reason_of(int error)
{
    return std::generic_category().message(error);
}

int milliseconds_until(TimePoint until)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000));
}

/// False where time is over, or a signal came first.
bool wait_once(int fd, short events, TimePoint until)
{
    pollfd polled{fd, events, 0};
    return ::poll(&polled, 1, milliseconds_until(until)) > 0;
}

/// False where time is over.
bool wait_for(int fd, short events, TimePoint until)
{
    while (!wait_once(fd, events, until)) {
        if (Clock::now() >= until) {
            return false;
        }
    }
    return true;
}

void set_option(int fd, int level, int option, int value)
{
    // Faster or safer where it works, and no reason to give up where it does not: a peer may be gone.
    [[maybe_unused]] const int result = ::setsockopt(fd, level, option, &value, sizeof value);
}

void reset_when_closed(int fd)
{
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    [[maybe_unused]] const int result = ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

constexpr int kept_after_close_ms = 10'000;

} // namespace

Transport::~Transport() = default;

TcpTransport::TcpTransport(Fd socket, std::string peer) : socket_(std::move(socket)), peer_(std::move(peer))
{
    const int flags = ::fcntl(fd(), F_GETFL);
    if (flags < 0 || ::fcntl(fd(), F_SETFL, flags | O_NONBLOCK) != 0) {
        throw Error::from_errno(ErrorKind::Peer, "cannot talk to", peer_);
    }
    set_option(fd(), IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd(), SOL_SOCKET, SO_KEEPALIVE, 1);
}

TcpTransport::~TcpTransport()
{
    set_option(fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, kept_after_close_ms);
}

std::size_t TcpTransport::read(char* to, std::size_t size, TimePoint until)
{
    for (;;) {
        const auto count = ::recv(fd(), to, size, 0);
        if (count >= 0) {
            return static_cast<std::size_t>(count);
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            fail("lost the connection to", peer_, reason_of(errno));
        }
        // Half a message came: its sender may wait for an acknowledgement before the other half goes out.
        set_option(fd(), IPPROTO_TCP, TCP_QUICKACK, 1);
        if (!wait_for(fd(), POLLIN, until)) {
            fail("gave up on", peer_, "it went silent or too slow");
        }
    }
}

void TcpTransport::write(std::string_view bytes, TimePoint until)
{
    while (!bytes.empty()) {
        const auto count = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            fail("lost the connection to", peer_, reason_of(errno));
        } else if (!wait_for(fd(), POLLOUT, until)) {
            // A farewell would queue behind what is not taken, and the peer would never hear of the end.
            reset_when_closed(fd());
            fail("gave up on", peer_, "it takes no more data");
        }
    }
}

bool TcpTransport::readable(TimePoint until)
{
    return wait_once(fd(), POLLIN, until);
}

void TcpTransport::settle(TimePoint until) noexcept
{
    const auto waiting = [this] {
        int bytes = 0;
        pollfd broken{fd(), 0, 0}; // that the peer has reset the connection is told unasked
        return ::ioctl(fd(), SIOCOUTQ, &bytes) == 0 && bytes > 0 && ::poll(&broken, 1, 0) == 0;
    };
    while (waiting()) { // nothing tells when it ends
        if (Clock::now() >= until) {
            return reset_when_closed(fd());
        }
        constexpr timespec a_moment{0, 1'000'000};
        ::nanosleep(&a_moment, nullptr);
    }
}

namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses addresses_of(const std::string& host, std::uint16_t port, const std::string& name)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int result = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (result != 0) {
        fail("cannot reach", name, ::gai_strerror(result));
    }
    return Addresses{found};
}

/// A connected socket, or the errno of what went wrong.
std::pair<Fd, int> connect_to(const addrinfo& address, TimePoint until)
{
    Fd fd{::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) {
        return {Fd{}, errno};
    }
    if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) {
        return {std::move(fd), 0};
    }
    if (errno != EINPROGRESS) {
        return {Fd{}, errno};
    }
    if (!wait_for(fd.get(), POLLOUT, until)) {
        return {Fd{}, ETIMEDOUT};
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    return error == 0 ? std::pair{std::move(fd), 0} : std::pair{Fd{}, error};
}

} // namespace

std::unique_ptr<Transport> connect_tcp(const std::string& host, std::uint16_t port, TimePoint until)
{
    const auto name = endpoint_text(host, port);
    const auto list = addresses_of(host, port, name);
    int last_error = EHOSTUNREACH;
    for (const auto* address = list.get(); address != nullptr; address = address->ai_next) {
        auto [fd, error] = connect_to(*address, until);
        if (fd) {
            return std::make_unique<TcpTransport>(std::move(fd), name);
        }
        last_error = error;
    }
    fail("cannot reach", name, reason_of(last_error));
}

} // namespace dcmpipe::net
