#pragma once

namespace dcmpipe::stop {

/// Installs the handlers of SIGINT and SIGTERM: the first signal asks to stop after the current item, the
/// second ends the process at once. SIGPIPE is ignored: a closed pipe shows as EPIPE where it is written.
void install();

/// In a forked process that its parent looks after: a signal only ever asks to stop, for a terminal or a
/// service manager sends its own to the whole group. What was asked before still holds.
void install_in_child();

/// True once a signal asked to stop. Safe from any thread.
bool requested() noexcept;

/// The signal that asked, or 0.
int signal_number() noexcept;

/// Sleeps up to `seconds`, less when a stop is requested; false when it is.
bool sleep(double seconds);

/// Ends the process by the signal that asked, as a shell expects it. Returns where none did.
void die_by_signal();

} // namespace dcmpipe::stop
