#include "net/dul_connection.hpp"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include <dcmtk/dcmnet/dul.h>
#include <dcmtk/oflog/oflog.h>
#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

constexpr std::size_t most_unsent = 128 * 1024;
constexpr std::size_t read_ahead = 16 * 1024;       // more would be copied twice where a PDU is large
constexpr std::size_t most_heard = 256 * 1024;      // no association request is longer
constexpr std::chrono::hours most_credit{24 * 365}; // far from where a TimePoint overflows

class DulConnection : public DcmTransportConnection {
public:
    /// The base class would set its own timeouts on a socket, hence none.
    DulConnection(Channel& channel, Fd socket)
        : DcmTransportConnection(-1), channel_(channel), socket_(std::move(socket))
    {
    }

    OFCondition serverSideHandshake() override { return EC_Normal; }
    OFCondition clientSideHandshake() override { return EC_Normal; }
    OFCondition renegotiate(const char* /*suite*/) override { return EC_Normal; }

    ssize_t read(void* to, size_t size) override { return channel_.read(static_cast<char*>(to), size); }
    ssize_t write(void* from, size_t size) override
    {
        return channel_.write(static_cast<const char*>(from), size);
    }
    OFBool networkDataAvailable(int /*seconds*/) override { return channel_.readable(); }
    void close() override
    {
        channel_.try_flush();
        socket_.reset();
    }
    void closeTransportConnection() override { close(); }

    unsigned long getPeerCertificateLength() override { return 0; }
    unsigned long getPeerCertificate(void* /*to*/, unsigned long /*size*/) override { return 0; }
    /// False keeps DUL from polling a socket by itself.
    OFBool isTransparentConnection() override { return OFFalse; }
    OFString& dumpConnectionParameters(OFString& text) override { return text; }

private:
    Channel& channel_;
    Fd socket_; ///< the one that DUL connected and believes to be using
};

} // namespace

void Channel::begin(std::chrono::seconds time, double least_rate, std::string_view overdue)
{
    time_ = time;
    moved_ = Clock::now();
    until_ = moved_ + time;
    overdue_ = overdue;
    seconds_a_byte_ = least_rate > 0 ? 1 / least_rate : 0;
}

template <class Work, class Result>
Result Channel::guarded(Work work, Result otherwise) noexcept
{
    try {
        if (!failure_) {
            return work();
        }
    } catch (const Error& error) {
        failure_ = error;
    }
    errno = EIO; // EINTR would make DUL try again
    return otherwise;
}

ssize_t Channel::read(char* to, std::size_t size) noexcept
{
    return guarded([&] { return static_cast<ssize_t>(receive(to, size)); }, ssize_t{-1});
}

ssize_t Channel::write(const char* from, std::size_t size) noexcept
{
    return guarded(
        [&] {
            unsent_.append(from, size);
            if (unsent_.size() > most_unsent) {
                flush();
            }
            return static_cast<ssize_t>(size);
        },
        ssize_t{-1});
}

bool Channel::readable() noexcept
{
    return guarded(
        [&] {
            flush();
            while (!readable_until(deadline())) {
                if (Clock::now() >= deadline()) {
                    give_up();
                }
            }
            return true;
        },
        false);
}

bool Channel::try_flush() noexcept
{
    return guarded([&] { return flush(), true; }, false);
}

void Channel::flush()
{
    if (!unsent_.empty() && !cut_short_) {
        const auto bytes = std::exchange(unsent_, {});
        cut_short_ = true;
        transport_->write(bytes, deadline());
        cut_short_ = false;
        moved(bytes.size());
    }
}

void Channel::forget_failure() noexcept
{
    if (!cut_short_) {
        failure_.reset();
    }
}

void Channel::moved(std::size_t bytes)
{
    moved_ = Clock::now();
    const std::chrono::duration<double> credit{seconds_a_byte_ * static_cast<double>(bytes)};
    until_ = std::min(until_ + std::chrono::duration_cast<Clock::duration>(credit), moved_ + most_credit);
}

void Channel::read_whole(char* to, std::size_t size)
{
    while (size > 0) {
        const auto got = receive(to, size);
        to += got;
        size -= got;
    }
}

void Channel::listen_in(bool on)
{
    listens_in_ = on;
    heard_ = {};
}

void Channel::unread(std::size_t size)
{
    taken_ -= size;
}

/// At least one byte. Small reads come out of one larger read of the transport; large ones go to their place.
std::size_t Channel::receive(char* to, std::size_t size)
{
    std::size_t count = 0;
    if (!buffered() && size >= read_ahead) {
        count = read_transport(to, size);
    } else {
        if (!buffered()) {
            input_.resize(read_ahead); // once: it is not cleared each time
            taken_ = 0;
            filled_ = 0;
            filled_ = read_transport(input_.data(), input_.size());
        }
        count = std::min(size, filled_ - taken_);
        std::memcpy(to, input_.data() + taken_, count);
        taken_ += count;
    }
    if (listens_in_ && heard_.size() < most_heard) {
        heard_.append(to, count);
    }
    return count;
}

std::size_t Channel::read_transport(char* to, std::size_t size)
{
    flush();
    std::size_t got = 0;
    try {
        got = transport_->read(to, size, deadline());
    } catch (const Error&) {
        if (Clock::now() >= deadline()) {
            give_up();
        }
        throw;
    }
    if (got == 0) {
        throw Error{ErrorKind::Peer, "lost the connection to", transport_->peer(), "it hung up"};
    }
    moved(got);
    return got;
}

void Channel::give_up() const
{
    const std::string why = Clock::now() >= end_ ? "the association lasts too long" : overdue_;
    throw Error{ErrorKind::Peer, "gave up on", transport_->peer(), why};
}

DcmTransportConnection* DulLayer::createConnection(DcmNativeSocketType socket, OFBool /*secure*/)
{
    // DUL deletes it.
    return std::make_unique<DulConnection>(channel_, owns_socket_ ? Fd{socket} : Fd{}).release();
}

Rendezvous::Rendezvous() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in loopback{};
    loopback.sin_family = AF_INET;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof loopback;
    auto* const any = reinterpret_cast<sockaddr*>(&loopback);
    if (!listener_ || ::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 1) != 0 ||
        ::getsockname(listener_.get(), any, &size) != 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot listen on", "127.0.0.1");
    }
    address_ = fmt::format("127.0.0.1:{}", ntohs(loopback.sin_port));
}

void prepare_dcmtk()
{
    static const bool once = [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL); // its messages may hold identifiers; errors come as codes
        dcmDisableGethostbyaddr.set(OFTrue);       // no name server is asked about a peer
        dcmAssociatePDUSizeLimit.set(256 * 1024);
        return true;
    }();
    static_cast<void>(once);
}

} // namespace dcmpipe::net
