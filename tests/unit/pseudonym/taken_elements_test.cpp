#include "pseudonym/originals.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using dicom::Tag;
using pseudonym::TakenElements;
using Map = std::map<Tag, std::string>;

TEST_CASE("elements come back in the order of their tags, whatever order they came in")
{
    TakenElements elements;
    elements.add(Tag{3}, "three");
    elements.add(Tag{5}, "");
    elements.add(Tag{1}, "one");
    elements.add(Tag{4}, "four");
    elements.add(Tag{3}, "another three");
    elements.add(Tag{5}, "another five");
    CHECK(elements.map() == Map{{Tag{1}, "one"}, {Tag{3}, "three"}, {Tag{4}, "four"}, {Tag{5}, ""}});
    CHECK(TakenElements{elements.map()}.map() == elements.map());
    CHECK(TakenElements{}.map().empty());
}

TEST_CASE("a difference and its base give the elements back")
{
    const Map base{{Tag{1}, "a"}, {Tag{2}, "b"}, {Tag{4}, "d"}, {Tag{6}, "f"}};
    for (const auto& now :
         {Map{}, base, Map{{Tag{0}, "x"}, {Tag{2}, "b"}, {Tag{3}, "c"}, {Tag{4}, "other"}, {Tag{9}, "y"}}}) {
        pseudonym::Originals originals;
        originals.elements = now;
        const auto difference = pseudonym::difference(originals, base);
        pseudonym::RecalledOriginals recalled;
        recalled.elements = base;
        pseudonym::apply(difference, recalled);
        CHECK(recalled.elements == now);
        if (now == base) {
            CHECK(difference.elements.empty());
            CHECK(difference.absent.empty());
        }
    }
}
