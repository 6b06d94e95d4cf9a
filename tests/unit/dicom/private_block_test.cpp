#include "dicom/private_block.hpp"

#include "support/data_set.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::dicom;
using test::DataSet;

TEST_CASE("a private element belongs to who reserved its block, in its own data set or item")
{
    const auto data_set =
        DataSet{}
            .add(Tag{0x0009, 0x0010}, vr::LO, "ACME ")
            .add(Tag{0x0009, 0x0011}, vr::LO, "OTHER")
            .add(Tag{0x0009, 0x1001}, vr::LO, "of ACME")
            .add(Tag{0x0009, 0x1102}, vr::LO, "of OTHER")
            .add(Tag{0x0009, 0x1203}, vr::LO, "of nobody")
            .add_sequence(
                Tag{0x0040, 0xa730}, {DataSet{}
                                          .add(Tag{0x0009, 0x0010}, vr::LO, "INNER")
                                          .add(Tag{0x0009, 0x10ff}, vr::LO, "of INNER")
                                          .add(Tag{0x0009, 0x1100}, vr::LO, "of nobody"),
                                      DataSet{}.add(Tag{0x0009, 0x1001}, vr::LO, "of nobody")});
    const auto index = ElementIndex::walk(data_set.bytes(), ExplicitLittleEndian);
    const PrivateBlocks blocks{index};
    // Twice, and the second time backwards: the remembered answer must not stick.
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < index.size(); ++i) {
        order.insert(order.begin() + static_cast<std::ptrdiff_t>(i), i);
        order.push_back(index.size() - 1 - i);
    }
    unsigned seen = 0;
    for (const auto i : order) {
        const auto value = index[i].container ? std::string_view{} : index.value(index[i]);
        if (value.starts_with("of ")) {
            const auto who = value.substr(3, value.find_last_not_of(' ') - 2);
            CAPTURE(value, i);
            CHECK(blocks.creator_of(index[i]) == (who == "nobody" ? "" : who));
            ++seen;
        }
    }
    CHECK(seen == 12);
}

TEST_CASE("what is no private element of a block has no creator")
{
    const auto data_set = DataSet{}
                              .add(Tag{0x0008, 0x0010}, vr::LO, "NOT PRIVATE")
                              .add(Tag{0x0008, 0x1030}, vr::LO, "standard")
                              .add(Tag{0x0009, 0x0001}, vr::LO, "below the blocks")
                              .add(Tag{0x0009, 0x0010}, vr::LO, "ACME");
    const auto index = ElementIndex::walk(data_set.bytes(), ExplicitLittleEndian);
    const PrivateBlocks blocks{index};
    for (const auto& element : index.elements()) {
        CAPTURE(element.tag.value);
        CHECK(blocks.creator_of(element).empty());
    }
}
