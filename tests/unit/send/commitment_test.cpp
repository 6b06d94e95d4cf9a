#include "send/source.hpp"
#include "send/transactions.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe::send;
using namespace std::chrono_literals;
using Verdict = ZipTallies::Verdict;

TEST_CASE("a report reaches who began its transaction, and nobody else's is kept")
{
    Transactions transactions;
    transactions.begin("1.2");
    CHECK_FALSE(transactions.wait("1.2", 1ms));
    transactions.report({.transaction_uid = "9.9"});
    transactions.report({.transaction_uid = "1.2", .committed = {{"c", "i"}}});
    const auto report = transactions.wait("1.2", 1ms);
    REQUIRE(report);
    CHECK(report->committed.at(0).instance_uid == "i");
}

TEST_CASE("transaction UIDs are UIDs, each a new one")
{
    const auto one = new_transaction_uid();
    CHECK(one.substr(0, 5) == "2.25.");
    CHECK(one.size() <= 64);
    CHECK(one != new_transaction_uid());
}

TEST_CASE("a ZIP is one result, once all of it is settled")
{
    ZipTallies zips;
    zips.begin("z");
    zips.begin("z");
    zips.begin("z");
    CHECK_FALSE(zips.end("z", Verdict::AllSent));
    CHECK_FALSE(zips.end("z", Verdict::AllSentBefore));
    CHECK(zips.end("z", Verdict::AllSentBefore) == Verdict::AllSent);
    zips.begin("z");
    zips.begin("z");
    CHECK_FALSE(zips.end("z", Verdict::Failed));
    CHECK(zips.end("z", Verdict::AllSent) == Verdict::Failed);
}
