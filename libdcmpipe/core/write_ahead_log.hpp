#pragma once

#include <chrono>

struct sqlite3;

namespace dcmpipe {

/// Has a database keep a write-ahead log, from now on and for good. Other statements wait for who holds the
/// file; this one fails at once where another process does the same, so it is tried again for `patience`.
/// Throws Error{Output} where it stays locked, or cannot be written.
void use_write_ahead_log(sqlite3* database, std::chrono::milliseconds patience);

} // namespace dcmpipe
