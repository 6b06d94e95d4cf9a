/// \file All that a peer may send: it asks for an association, then sends messages. DCMTK's part included.

#include "core/error.hpp"
#include "fuzz/fuzz.hpp"
#include "net/association.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace dcmpipe;

/// A connected socket that nothing is ever read from: DUL asks for the name of its peer.
int connected_socket()
{
    static const Fd socket = [] {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        const Fd listener{::socket(AF_INET, SOCK_STREAM, 0)};
        Fd ours{::socket(AF_INET, SOCK_STREAM, 0)};
        fuzz::must(::bind(listener.get(), any, size) == 0 && ::listen(listener.get(), 1) == 0);
        fuzz::must(::getsockname(listener.get(), any, &size) == 0);
        fuzz::must(::connect(ours.get(), any, size) == 0);
        static const Fd theirs{::accept(listener.get(), nullptr, nullptr)};
        return ours;
    }();
    return ::dup(socket.get());
}

/// A peer that has said all it will ever say, and hears nothing.
class Spoken : public net::Transport {
public:
    explicit Spoken(std::string_view bytes) : rest_(bytes), socket_(connected_socket()) {}

    std::size_t read(char* to, std::size_t size, net::TimePoint /*until*/) override
    {
        const auto count = std::min(size, rest_.size());
        std::memcpy(to, rest_.data(), count);
        rest_.remove_prefix(count);
        return count;
    }
    void write(std::string_view /*bytes*/, net::TimePoint /*until*/) override {}
    bool readable(net::TimePoint /*until*/) override { return true; }
    void settle(net::TimePoint /*until*/) noexcept override {}
    int fd() const noexcept override { return socket_.get(); }
    const std::string& peer() const noexcept override { return peer_; }

private:
    std::string_view rest_;
    Fd socket_;
    std::string peer_ = "peer";
};

/// How many messages came; a test looks at it, for a harness that refuses every input finds nothing.
std::size_t heard = 0;

void serve(net::Association& association)
{
    while (const auto message = association.receive()) {
        ++heard;
        std::size_t bytes = 0;
        if (message->command.has_data_set()) {
            association.receive_data_set(*message, [&](std::string_view piece) { bytes += piece.size(); });
        }
        association.send(
            message->context_id, net::Command::response_to(message->command, net::status::Success));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        const auto first = [](const net::ProposedContext& proposed) {
            return proposed.transfer_syntaxes.empty() ? std::string{} : proposed.transfer_syntaxes.front();
        };
        auto association = net::Association::accept(
            std::make_unique<Spoken>(fuzz::view(data, size)),
            {.choose = first, .extend = [](std::string_view sop_class) { return std::string{sop_class}; }});
        serve(association);
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Peer);
    }
    static const bool must_hear = std::getenv("DPIPE_FUZZ_MUST_HEAR") != nullptr;
    fuzz::must(!must_hear || heard > 0);
    return 0;
}
