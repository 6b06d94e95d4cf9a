#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "net/transport.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/dcmlayer.h>
#include <dcmtk/dcmnet/dcmtrans.h>

/// How DCMTK's upper layer (DUL) gets our transport under it. Private to association.cpp.
namespace dcmpipe::net {

/// The transport, with the time there is for it. Time is kept here, on the monotonic clock: the seconds that
/// DUL passes are wall clock differences and are ignored. Nothing may be thrown through DUL, so a failure is
/// kept for who called DUL.
class Channel {
public:
    explicit Channel(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

    Transport& transport() { return *transport_; }
    const Transport& transport() const { return *transport_; }

    /// What follows may take `time`, and one second more for every `least_rate` bytes that go either way; but
    /// no single pause is longer than `time`, whatever went before. Where it takes longer, `overdue` says
    /// what did.
    void begin(
        std::chrono::seconds time, double least_rate = 0,
        std::string_view overdue = "it went silent or too slow");
    /// Nothing goes on after that.
    void end_at(TimePoint end) { end_ = end; }
    TimePoint end() const { return end_; }

    // For us: they throw Error{Peer}.

    /// All of `size` bytes.
    void read_whole(char* to, std::size_t size);
    /// Takes back the last `size` bytes that were read, so that they are read again; 6 at most.
    void unread(std::size_t size);
    /// Waits until `until` for something to read; false where nothing came, or a signal first.
    bool readable_until(TimePoint until) { return buffered() || transport_->readable(until); }
    void flush();

    /// Keeps the first bytes that are read from here on, for heard(); false stops that.
    void listen_in(bool on);
    std::string_view heard() const { return heard_; }
    /// What DUL wrote and nobody has sent yet.
    std::string& unsent() { return unsent_; }

    // For DUL: they fail by a result, and the error is kept.

    ssize_t read(char* to, std::size_t size) noexcept;
    /// DUL writes a PDU in pieces: they wait for flush(), the next read, or the buffer to fill.
    ssize_t write(const char* from, std::size_t size) noexcept;
    bool readable() noexcept;
    bool try_flush() noexcept;

    const std::optional<Error>& failure() const noexcept { return failure_; }
    /// So that an abort can still be tried. Where writing failed it stays: a PDU may have been cut short.
    void forget_failure() noexcept;

private:
    template <class Work, class Result>
    Result guarded(Work work, Result otherwise) noexcept;
    bool buffered() const { return taken_ < filled_; }
    std::size_t receive(char* to, std::size_t size);
    std::size_t read_transport(char* to, std::size_t size);
    TimePoint deadline() const { return std::min({until_, moved_ + time_, end_}); }
    void moved(std::size_t bytes);
    [[noreturn]] void give_up() const;

    std::unique_ptr<Transport> transport_;
    std::string input_;      ///< room for what is read ahead
    std::size_t filled_ = 0; ///< of input_
    std::size_t taken_ = 0;  ///< of what is filled
    std::chrono::seconds time_{};
    TimePoint until_{}; ///< for all of what begin() began
    TimePoint moved_{}; ///< when bytes went last, or it began
    TimePoint end_ = TimePoint::max();
    std::string overdue_{};     ///< what is, after until_
    double seconds_a_byte_ = 0; ///< that until_ moves by what was read
    std::string unsent_;
    bool listens_in_ = false;
    std::string heard_;
    bool cut_short_ = false; ///< writing failed
    std::optional<Error> failure_;
};

/// Makes the connections of a network; each goes over the one channel.
class DulLayer : public DcmTransportLayer {
public:
    /// `owns_socket`: the socket that DUL brings is its own, not the transport's.
    DulLayer(Channel& channel, bool owns_socket) : channel_(channel), owns_socket_(owns_socket) {}

    DcmTransportConnection* createConnection(DcmNativeSocketType socket, OFBool secure) override;

private:
    Channel& channel_;
    bool owns_socket_;
};

/// DUL connects by itself, to one IPv4 address and by the wall clock. It is given this to connect to, and
/// then goes on with the transport that was connected before.
class Rendezvous {
public:
    Rendezvous();

    /// `127.0.0.1:PORT`
    const std::string& address() const { return address_; }

private:
    Fd listener_;
    std::string address_;
};

/// Settles DCMTK's global switches; cheap after the first call.
void prepare_dcmtk();

} // namespace dcmpipe::net
