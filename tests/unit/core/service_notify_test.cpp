#include "core/service_notify.hpp"

#include "core/fd.hpp"
#include "support/captured.hpp"
#include "support/scratch.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include <catch2/catch.hpp>

using namespace dcmpipe;

namespace {

/// Stands in for the service manager.
class Manager {
public:
    explicit Manager(std::string name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0))
    {
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name.front() == '@') {
            address.sun_path[0] = '\0';
        }
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    ~Manager() { ::unsetenv("NOTIFY_SOCKET"); }

    std::string heard() const
    {
        std::array<char, 100> text{};
        const auto size = ::recv(socket_.get(), text.data(), text.size(), 0);
        return size < 0 ? "nothing" : std::string{text.data(), static_cast<std::size_t>(size)};
    }

private:
    Fd socket_;
};

std::string messages(const std::function<void()>& work)
{
    return test::captured(STDERR_FILENO, work);
}

} // namespace

TEST_CASE("the service manager hears what is told, by path or abstract name")
{
    const test::Scratch scratch;
    for (const auto& name : {(scratch / "notify").string(), "@dpipe-test-" + std::to_string(::getpid())}) {
        CAPTURE(name);
        const Manager manager{name};
        notify_service("READY=1");
        CHECK(manager.heard() == "READY=1");
        CHECK(manager.heard() == "nothing");
    }
}

TEST_CASE("without a service manager nothing is said")
{
    ::unsetenv("NOTIFY_SOCKET");
    CHECK(messages([] { notify_service("READY=1"); }).empty());
    ::setenv("NOTIFY_SOCKET", "", 1);
    CHECK(messages([] { notify_service("READY=1"); }).empty());
}

TEST_CASE("a service manager that is gone is a warning, not an end")
{
    ::setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
    CHECK(messages([] { notify_service("READY=1"); }).find("warning") != std::string::npos);
    // Longer than an address can be.
    ::setenv("NOTIFY_SOCKET", std::string(300, 'x').c_str(), 1);
    notify_service("READY=1");
    ::unsetenv("NOTIFY_SOCKET");
}
