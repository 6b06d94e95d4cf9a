#pragma once

#include <string_view>

namespace dcmpipe {

/// Tells the service manager how this process stands, `READY=1` or `STOPPING=1`, as sd_notify(3) does: a
/// datagram to $NOTIFY_SOCKET. Nothing where there is no service manager.
void notify_service(std::string_view state);

} // namespace dcmpipe
