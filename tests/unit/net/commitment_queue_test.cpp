#include "net/commitment_queue.hpp"

#include "core/error.hpp"
#include "net/commitment_reporter.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <ctime>

#include <fcntl.h>
#include <sys/stat.h>

using namespace dcmpipe;
using namespace dcmpipe::net;

namespace {

PendingCommitment pending(std::string transaction = "1.2.77")
{
    return {
        .calling_aet = "CT \"1\"/..", // what an AE title may be
        .address = "::1",
        .request = {.transaction_uid = std::move(transaction), .instances = {{"1.2.840", "1.2.9"}}}};
}

void age(const std::filesystem::path& path, std::time_t by)
{
    const timespec then{.tv_sec = std::time(nullptr) - by, .tv_nsec = 0};
    const std::array times{then, then};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
}

/// A reporter that finds nobody; how often it tried, and what it gave up.
struct Nobody {
    explicit Nobody(const std::filesystem::path& root, const std::function<void(int)>& on_try = {})
    {
        const auto away = [&](const Node& /*node*/) -> std::unique_ptr<Transport> {
            ++tries;
            if (on_try) {
                on_try(tries);
            }
            throw Error{ErrorKind::Peer, "cannot reach", "the peer", "it is away"};
        };
        CommitmentReporter{
            {.root = root,
             .call = {.connect = away},
             .node_of =
                 [](std::string_view) {
                     return Node{"PEER", "localhost", 104};
                 },
             .pauses = {0, 0, 0}},
            [this](const std::string& aet, const CommitmentReport& report, bool delivered) {
                CHECK_FALSE(delivered);
                CHECK(aet == pending().calling_aet);
                given_up.push_back(report);
            }}
            .run();
    }

    int tries = 0;
    std::vector<CommitmentReport> given_up{};
};

} // namespace

TEST_CASE("what was put is taken by one process, with all it says, until it is removed")
{
    const test::Scratch scratch;
    const CommitmentQueue queue{scratch.path()};
    CHECK(queue.empty());
    std::filesystem::path path;
    {
        const auto ours = queue.put(pending());
        path = ours.path();
        CHECK_FALSE(queue.empty());
        CHECK(queue.take().empty()); // it is ours
    }
    auto taken = queue.take();
    REQUIRE(taken.size() == 1);
    CHECK(queue.take().empty());
    const auto& one = taken.front();
    CHECK(one.path() == path);
    CHECK(one.pending().calling_aet == pending().calling_aet);
    CHECK(one.pending().address == "::1");
    CHECK(one.pending().request.transaction_uid == "1.2.77");
    REQUIRE(one.pending().request.instances.size() == 1);
    CHECK(one.pending().request.instances.front().sop_class_uid == "1.2.840");
    CHECK(one.pending().request.instances.front().instance_uid == "1.2.9");
    taken.front().remove();
    CHECK(queue.empty());
}

TEST_CASE("what was removed while it was on its way to another is not taken")
{
    const test::Scratch scratch;
    const CommitmentQueue queue{scratch.path()};
    auto ours = queue.put(pending());
    const auto again = queue.put(pending());
    CHECK(ours.path() != again.path());
    ours.remove();
    CHECK_FALSE(std::filesystem::exists(ours.path()));
    CHECK(std::filesystem::exists(again.path()));
}

TEST_CASE("a request that cannot be kept is an error, and is not there")
{
    const test::Scratch scratch;
    CHECK_THROWS_AS(CommitmentQueue{scratch.path() / "none"}.put(pending()), Error);
}

TEST_CASE("nobody is called for ever: a day, and some tries")
{
    const test::Scratch scratch;
    const CommitmentQueue queue{scratch.path()};
    for (const auto by : {25 * 3600, -3600}) { // or the clock was set back
        age(queue.put(pending()).path(), by);
        const Nobody reporter{scratch.path()};
        CHECK(reporter.tries == 3);
        REQUIRE(reporter.given_up.size() == 1);
        CHECK(reporter.given_up.front().transaction_uid == "1.2.77");
        CHECK(reporter.given_up.front().committed.empty());
        CHECK(reporter.given_up.front().failed.size() == 1);
        CHECK(queue.empty());
    }

    const auto path = queue.put(pending()).path();
    const Nobody patient{scratch.path(), [&](int tries) {
                             if (tries == 10) {
                                 age(path, 25 * 3600);
                             }
                         }};
    CHECK(patient.tries == 10);
    CHECK(patient.given_up.size() == 1);
}
