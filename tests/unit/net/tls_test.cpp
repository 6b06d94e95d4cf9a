#include "net/tls.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstdlib>
#include <thread>

#include <sys/socket.h>

#include <fmt/format.h>

using namespace dcmpipe;
using namespace dcmpipe::net;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A certificate that signs itself, for localhost; false where openssl is not installed.
bool make_certificate(const fs::path& folder)
{
    const auto command = fmt::format(
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext "
        "subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout {0}/key -out {0}/cert 2>/dev/null",
        folder.string());
    return std::system(command.c_str()) == 0;
}

std::array<std::unique_ptr<Transport>, 2> connected()
{
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0);
    return {
        std::make_unique<TcpTransport>(Fd{pair[0]}, "ours"),
        std::make_unique<TcpTransport>(Fd{pair[1]}, "theirs")};
}

TimePoint soon()
{
    return Clock::now() + 5s;
}

/// Answers one connection: what it reads it sends back, until the other side says farewell.
void echo(std::unique_ptr<Transport> below, const fs::path& folder)
{
    try {
        const TlsContext context{
            TlsContext::Side::Acceptor, {.certificate = folder / "cert", .key = folder / "key"}};
        const auto transport = context.accept(std::move(below), soon());
        std::array<char, 1000> bytes{};
        while (const auto size = transport->read(bytes.data(), bytes.size(), soon())) {
            transport->write({bytes.data(), size}, soon());
        }
    } catch (const Error&) {
        // the other side says why
    }
}

} // namespace

TEST_CASE("a requestor talks to who is who it says")
{
    const test::Scratch scratch;
    if (!make_certificate(scratch.path())) {
        WARN("openssl is not installed: not tested");
        return;
    }
    const TlsContext context{TlsContext::Side::Requestor, {.authorities = scratch.path() / "cert"}};
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        auto [ours, theirs] = connected();
        std::thread other{echo, std::move(theirs), scratch.path()};
        {
            const auto transport = context.connect(std::move(ours), host, soon());
            const std::string text(100'000, 'x');
            std::string back;
            std::thread writer{[&] { transport->write(text, soon()); }};
            writer.join();
            while (back.size() < text.size()) {
                std::array<char, 5000> bytes{};
                back.append(bytes.data(), transport->read(bytes.data(), bytes.size(), soon()));
            }
            CHECK(back == text);
            CHECK_FALSE(transport->readable(Clock::now()));
        }
        other.join();
    }
}

TEST_CASE("a requestor refuses another name, and an authority that it does not know")
{
    const test::Scratch scratch;
    if (!make_certificate(scratch.path())) {
        WARN("openssl is not installed: not tested");
        return;
    }
    const TlsContext knows{TlsContext::Side::Requestor, {.authorities = scratch.path() / "cert"}};
    const TlsContext knows_not{TlsContext::Side::Requestor, {}};
    const auto refused = [&](const TlsContext& context, const std::string& host) {
        auto [ours, theirs] = connected();
        std::thread other{echo, std::move(theirs), scratch.path()};
        CHECK_THROWS_AS(context.connect(std::move(ours), host, soon()), Error);
        other.join();
    };
    refused(knows, "pacs.example.org");
    refused(knows, "127.0.0.2");
    refused(knows_not, "localhost");
}
