#include "upload/retry.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe::upload;

TEST_CASE("what a status means")
{
    const auto all_are = [](Verdict verdict, std::initializer_list<int> statuses) {
        for (const int status : statuses) {
            CAPTURE(status);
            CHECK(verdict_of(status) == verdict);
        }
    };
    all_are(Verdict::Taken, {200, 201});
    all_are(Verdict::LogInAgain, {401});
    all_are(Verdict::TryLater, {408, 425, 429, 500, 502, 503, 504, 599});
    all_are(
        Verdict::Refused,
        {0, 100, 202, 204, 206, 301, 302, 307, 308, 400, 403, 404, 405, 409, 413, 415, 422, 600});
}

TEST_CASE("the wait doubles up to its longest, half of it more or less by chance")
{
    const Backoff backoff{5, 600};
    CHECK(backoff.delay(1, 0.5, 0) == Approx(5));
    CHECK(backoff.delay(2, 0.5, 0) == Approx(10));
    CHECK(backoff.delay(5, 0.5, 0) == Approx(80));
    CHECK(backoff.delay(50, 0.5, 0) == Approx(600));
    CHECK(backoff.delay(5000, 0.5, 0) == Approx(600));
    CHECK(backoff.delay(1, 0, 0) == Approx(2.5));
    CHECK(backoff.delay(1, 0.999, 0) == Approx(7.495));
}

TEST_CASE("the server's own wish is never undercut")
{
    CHECK(Backoff{}.delay(1, 0, 30) == Approx(30));
    CHECK(Backoff{}.delay(6, 0.5, 30) == Approx(160));
}

TEST_CASE("what the same bytes would meet again")
{
    for (const int status : {400, 409, 413, 415, 422}) {
        CHECK(is_about_the_file(status));
    }
    for (const int status : {200, 401, 403, 404, 405, 408, 429, 500}) {
        CHECK_FALSE(is_about_the_file(status));
    }
}
