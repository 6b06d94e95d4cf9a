#include "retrieve/period.hpp"

#include "dicom/tags.hpp"

#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using namespace dcmpipe;
using retrieve::Attributes;
using retrieve::Period;
namespace tags = dicom::tags;

Period of(const std::string& date, const std::string& time = {})
{
    retrieve::Row row;
    if (!date.empty()) {
        row.criteria.push_back({tags::StudyDate, date});
    }
    if (!time.empty()) {
        row.criteria.push_back({tags::StudyTime, time});
    }
    return Period::of(row);
}

std::string date_of(const Period& period)
{
    Attributes keys;
    period.put_into(keys);
    return keys[tags::StudyDate];
}

/// The ends of all splitting, as date and time.
void leaves(const Period& period, std::vector<Attributes>& all)
{
    if (const auto halves = period.halves()) {
        leaves(halves->first, all);
        leaves(halves->second, all);
        return;
    }
    period.put_into(all.emplace_back());
}

} // namespace

TEST_CASE("a period is what the row's date leaves open")
{
    CHECK(date_of(of("20240229-20240301")) == "20240229-20240301");
    CHECK(date_of(of("20240229")) == "20240229");
    CHECK(date_of(of("20150101-")) == "20150101-20991231");
    CHECK(date_of(of("-20150101")) == "19000101-20150101");
    CHECK(date_of(of("-18500101")) == "18500101");
    CHECK(date_of(of("")) == "19000101-20991231");
}

TEST_CASE("halves hold every day once, then every minute of a day")
{
    const auto halves = of("20240227-20240302").halves();
    REQUIRE(halves);
    CHECK(date_of(halves->first) == "20240227-20240229");
    CHECK(date_of(halves->second) == "20240301-20240302");

    std::vector<Attributes> minutes;
    leaves(of("20240229"), minutes);
    std::set<std::string> times;
    for (const auto& keys : minutes) {
        CHECK(keys.at(tags::StudyDate) == "20240229");
        times.insert(keys.at(tags::StudyTime));
    }
    CHECK(minutes.size() == 24 * 60);
    CHECK(times.size() == 24 * 60);
    CHECK(*times.begin() == "000000-000059.999999");
    CHECK(*times.rbegin() == "235900-235959.999999");
}

TEST_CASE("a row that names a time is not split below a day")
{
    std::vector<Attributes> days;
    leaves(of("20240229-20240303", "10-12"), days);
    CHECK(days.size() == 4);
    CHECK(days[0].count(tags::StudyTime) == 0);
}

TEST_CASE("an answer of another day shows that the node ignores dates")
{
    const auto period = of("20240101-20240131");
    CHECK(period.may_hold({{tags::StudyDate, "20240115"}}));
    CHECK(period.may_hold({{tags::StudyDate, "2024.01.15"}}));
    CHECK(period.may_hold({{tags::StudyDate, ""}}));
    CHECK(period.may_hold({}));
    CHECK_FALSE(period.may_hold({{tags::StudyDate, "20240201"}}));
}
