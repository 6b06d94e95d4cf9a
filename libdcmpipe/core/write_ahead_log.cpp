#include "core/write_ahead_log.hpp"

#include "core/error.hpp"

#include <thread>

#include <sqlite3.h>

namespace dcmpipe {

void use_write_ahead_log(sqlite3* database, std::chrono::milliseconds patience)
{
    constexpr std::chrono::milliseconds pause{10};
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const int result = ::sqlite3_exec(database, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
        if (result == SQLITE_OK) {
            return;
        }
        const bool is_locked = result == SQLITE_BUSY || result == SQLITE_LOCKED;
        if (!is_locked || std::chrono::steady_clock::now() > end) {
            throw Error{
                ErrorKind::Output, "cannot use", ::sqlite3_db_filename(database, "main"),
                ::sqlite3_errmsg(database)};
        }
        std::this_thread::sleep_for(pause);
    }
}

} // namespace dcmpipe
