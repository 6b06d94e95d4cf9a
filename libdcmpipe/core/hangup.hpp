#pragma once

namespace dcmpipe::hangup {

/// From now on SIGHUP asks to read the configuration again, instead of ending the process.
void install();

/// Whether it was asked since the last call.
bool taken() noexcept;

} // namespace dcmpipe::hangup
