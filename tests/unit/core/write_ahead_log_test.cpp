#include "core/write_ahead_log.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace dcmpipe;

namespace {

/// Opens as a journal is opened; true where that went well.
bool opens(const std::string& path)
{
    sqlite3* database = nullptr;
    bool good = ::sqlite3_open(path.c_str(), &database) == SQLITE_OK;
    ::sqlite3_busy_timeout(database, 10'000);
    try {
        use_write_ahead_log(database, std::chrono::seconds{10});
    } catch (const Error&) {
        good = false;
    }
    good = good && ::sqlite3_exec(database, "CREATE TABLE IF NOT EXISTS t (x)", nullptr, nullptr, nullptr) ==
                       SQLITE_OK;
    ::sqlite3_close(database);
    return good;
}

} // namespace

TEST_CASE("many processes open a new database at once")
{
    const test::Scratch scratch;
    for (int round = 0; round < 20; ++round) {
        const auto path = (scratch / std::to_string(round)).string();
        for (int i = 0; i < 6; ++i) {
            if (::fork() == 0) {
                ::_exit(opens(path) ? 0 : 1);
            }
        }
        int failed = 0;
        for (int status = 0; ::wait(&status) > 0;) {
            failed += status != 0 ? 1 : 0;
        }
        CHECK(failed == 0);
    }
}

TEST_CASE("a database that cannot be written is said so")
{
    sqlite3* database = nullptr;
    ::sqlite3_open_v2("/proc/version", &database, SQLITE_OPEN_READONLY, nullptr);
    CHECK_THROWS_AS(use_write_ahead_log(database, std::chrono::seconds{1}), Error);
    ::sqlite3_close(database);
}
