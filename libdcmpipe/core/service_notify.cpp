#include "core/service_notify.hpp"

#include "core/fd.hpp"
#include "core/log.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

namespace dcmpipe {

void notify_service(std::string_view state)
{
    const char* const name = std::getenv("NOTIFY_SOCKET"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    sockaddr_un address{};
    if (name == nullptr || name[0] == '\0' || std::strlen(name) >= sizeof address.sun_path) {
        return;
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name, std::strlen(name));
    if (name[0] == '@') {
        address.sun_path[0] = '\0'; // a name of the abstract namespace
    }
    const auto size = offsetof(sockaddr_un, sun_path) + std::strlen(name);
    const Fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (!fd || ::sendto(
                   fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                   reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) < 0) {
        log::warning("the service manager cannot be told {}", state);
    }
}

} // namespace dcmpipe
