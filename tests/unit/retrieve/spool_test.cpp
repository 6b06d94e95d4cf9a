#include "retrieve/spool.hpp"

#include "dicom/tags.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace dcmpipe;
namespace tags = dicom::tags;

TEST_CASE("a spool gives each answer once, in the order in which they came")
{
    retrieve::Spool spool;
    for (int i = 0; i < 5000; ++i) {
        const auto uid = "1.2." + std::to_string(i % 3000);
        CHECK(spool.add(uid, {{tags::StudyInstanceUID, uid}, {tags::PatientName, "Жук"}}) == (i < 3000));
    }
    CHECK(spool.size() == 3000);
    for (int i = 0; i < 3000; ++i) {
        const auto answer = spool.next();
        REQUIRE(answer);
        CHECK(answer->at(tags::StudyInstanceUID) == "1.2." + std::to_string(i));
        CHECK(answer->at(tags::PatientName) == "Жук");
    }
    CHECK_FALSE(spool.next());
    CHECK(spool.add("1.3", {}));
    CHECK(spool.next()->empty());
}

TEST_CASE("values of any bytes and any length come back")
{
    retrieve::Spool spool;
    const std::string zeros("\0a\0", 3);
    const std::string longer(100'000, 'x');
    spool.add("1", {{tags::PatientID, zeros}, {tags::PatientComments, longer}, {tags::StudyDate, ""}});
    const auto answer = spool.next();
    REQUIRE(answer);
    CHECK(answer->at(tags::PatientID) == zeros);
    CHECK(answer->at(tags::PatientComments) == longer);
    CHECK(answer->at(tags::StudyDate).empty());
}
