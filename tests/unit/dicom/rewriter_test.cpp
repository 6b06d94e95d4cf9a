#include "dicom/rewriter.hpp"

#include "core/error.hpp"
#include "dicom/tags.hpp"
#include "support/raw_elements.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace dcmpipe;
using namespace dcmpipe::dicom;

namespace {

/// A data set as a tree, encoded by the tests' own hand: what a rewrite must come to.
struct Node;
using Elements = std::vector<Node>;

struct Node {
    std::uint32_t tag;
    std::string vr;
    std::string value{};
    std::vector<Elements> items{};

    bool is_group_length() const { return (tag & 0xffffU) == 0; }
};

std::string encode(const Elements& elements, const raw::Form& form);

std::string encode(const Node& node, const raw::Form& form)
{
    if (node.vr != "SQ") {
        return raw::text(node.tag, node.vr, node.value, form);
    }
    std::string items;
    for (const auto& item : node.items) {
        items += raw::item_of(encode(item, form), form);
    }
    return raw::sequence(node.tag, items, form);
}

std::string encode(const Elements& elements, const raw::Form& form)
{
    std::string bytes;
    for (const auto& node : elements) {
        if (!node.is_group_length()) {
            bytes += encode(node, form);
            continue;
        }
        std::size_t length = 0;
        for (const auto& other : elements) {
            const bool counts = other.tag >> 16U == node.tag >> 16U && !other.is_group_length();
            length += counts ? encode(other, form).size() : 0;
        }
        bytes += raw::element(
            node.tag, "UL", raw::number(static_cast<std::uint32_t>(length), 4, form.big_endian), form);
    }
    return bytes;
}

constexpr raw::Form every_form[] = {{true, false, true},   {true, false, false}, {false, false, true},
                                    {false, false, false}, {true, true, true},   {true, true, false}};

Encoding encoding_of(const raw::Form& form)
{
    return {form.explicit_vr, form.big_endian};
}

/// Three levels, with an empty item, an empty sequence and, where asked, group lengths at every level.
Elements sample(bool group_lengths)
{
    const auto with = [&](Elements elements, std::vector<std::uint32_t> groups) {
        for (const auto group : groups) {
            const auto place = std::find_if(
                elements.begin(), elements.end(), [&](const Node& n) { return n.tag > group << 16U; });
            if (group_lengths) {
                elements.insert(place, Node{group << 16U, "UL"});
            }
        }
        return elements;
    };
    const auto deepest = with({{0x00080100, "SH", "CODE"}, {0x00080104, "LO", "meaning"}}, {0x0008});
    const auto inner = with(
        {{0x00080050, "SH", "ACC"}, {0x00100020, "LO", "ID"}, {0x00401101, "SQ", "", {deepest, {}}}},
        {0x0008, 0x0010, 0x0040});
    return with(
        {{0x00080005, "CS", "ISO_IR 100"},
         {0x00080018, "UI", "1.2.3"},
         {0x00081110, "SQ", "", {inner, deepest}},
         {0x00081199, "SQ", "", {}},
         {0x00100010, "PN", "A^B"},
         {0x00100020, "LO", "4711"},
         {0x00102000, "LO", "some text"},
         {0x7fe00010, "OB", std::string(50, 'p')}},
        {0x0008, 0x0010, 0x7fe0});
}

std::string rewritten(
    const std::string& bytes, const raw::Form& form,
    const std::function<void(Rewriter&, const ElementIndex&)>& patch)
{
    const auto index = ElementIndex::walk(bytes, encoding_of(form));
    Rewriter rewriter{index};
    patch(rewriter, index);
    return rewriter.finish().str();
}

/// Applies random changes to the tree and to the bytes alike. An element is changed once at most, and
/// nothing inside of what goes.
class Changes {
public:
    Changes(unsigned seed, const ElementIndex& index, Rewriter& rewriter)
        : random_(seed), index_(index), rewriter_(rewriter)
    {
    }

    void change(Elements& elements, std::uint32_t parent)
    {
        auto number = index_.first_child(parent);
        for (auto node = elements.begin(); node != elements.end();) {
            const auto here = number;
            number = index_[here].end;
            node = change(elements, node, here);
        }
        insert(elements, parent);
    }

private:
    Elements::iterator change(Elements& elements, Elements::iterator node, std::uint32_t number)
    {
        const auto choice = random_() % 6;
        if (node->is_group_length()) {
            return node + 1;
        }
        if (choice == 0) {
            rewriter_.remove(number);
            return elements.erase(node);
        }
        if (node->vr == "SQ") {
            auto item = index_.first_child(number);
            for (auto& inside : node->items) {
                change(inside, item);
                item = index_[item].end;
            }
        } else if (choice == 1) {
            node->value = std::string(random_() % 40, 'v');
            rewriter_.replace(number, node->value);
        }
        return node + 1;
    }

    void insert(Elements& elements, std::uint32_t parent)
    {
        for (auto count = random_() % 3; count > 0; --count) {
            const auto tag = static_cast<std::uint32_t>(0x00080002 + (random_() % 200) * 0x00010101);
            const auto place =
                std::find_if(elements.begin(), elements.end(), [&](const Node& n) { return n.tag >= tag; });
            const bool was_there = index_.find(Tag{tag}, parent) != ElementIndex::None;
            if (was_there || (place != elements.end() && place->tag == tag)) {
                continue;
            }
            const std::string value(random_() % 20, 'i');
            elements.insert(place, Node{tag, "LO", value});
            rewriter_.insert(parent, Tag{tag}, vr::LO, value);
        }
    }

    std::mt19937 random_;
    const ElementIndex& index_;
    Rewriter& rewriter_;
};

} // namespace

TEST_CASE("no patch gives the input back")
{
    for (const auto& form : every_form) {
        const auto bytes = encode(sample(true), form);
        CHECK(rewritten(bytes, form, [](Rewriter& rewriter, const ElementIndex&) {
                  CHECK_FALSE(rewriter.changes());
              }) == bytes);
    }
}

TEST_CASE("random changes at every depth come out as a data set written anew")
{
    for (const auto& form : every_form) {
        for (const bool group_lengths : {false, true}) {
            for (unsigned seed = 0; seed < 150; ++seed) {
                CAPTURE(form.explicit_vr, form.big_endian, form.defined_lengths, group_lengths, seed);
                auto tree = sample(group_lengths);
                const auto bytes = encode(tree, form);
                const auto result =
                    rewritten(bytes, form, [&](Rewriter& rewriter, const ElementIndex& index) {
                        Changes{seed, index, rewriter}.change(tree, ElementIndex::None);
                    });
                REQUIRE(result == encode(tree, form));
                REQUIRE_NOTHROW(ElementIndex::walk(result, encoding_of(form)));
            }
        }
    }
}

TEST_CASE("items can be taken out of their sequence")
{
    for (const auto& form : every_form) {
        auto tree = sample(true);
        const auto bytes = encode(tree, form);
        const auto result = rewritten(bytes, form, [](Rewriter& rewriter, const ElementIndex& index) {
            rewriter.remove(index.first_child(index.find(tags::ReferencedStudySequence)));
        });
        auto& items = tree[3].items;
        items.erase(items.begin());
        CHECK(result == encode(tree, form));
    }
}

TEST_CASE("a raw replacement may be a whole sequence, or nothing")
{
    const raw::Form form{};
    auto tree = sample(false);
    const auto bytes = encode(tree, form);
    tree[2].items = {{{0x00080100, "SH", "NEW"}}};
    tree.erase(tree.begin() + 3);
    CHECK(rewritten(bytes, form, [&](Rewriter& rewriter, const ElementIndex& index) {
              rewriter.replace_raw(index.find(tags::ReferencedStudySequence), encode(tree[2], form));
              rewriter.replace_raw(index.find(Tag{0x00081199}), "");
          }) == encode(tree, form));
}

TEST_CASE("several additions at one place come in the order of their tags, whatever order they were asked in")
{
    const raw::Form form{};
    const auto bytes = encode({{0x00080005, "CS", "X"}, {0x00100020, "LO", "4711"}}, form);
    const auto result = rewritten(bytes, form, [](Rewriter& rewriter, const ElementIndex& index) {
        rewriter.insert(ElementIndex::None, tags::PatientName, vr::PN, "A^B");
        rewriter.insert(ElementIndex::None, tags::AccessionNumber, vr::SH, "ACC");
        rewriter.replace(index.find(tags::PatientID), "new");
        rewriter.insert(ElementIndex::None, tags::Modality, vr::CS, "CT");
    });
    CHECK(
        result == encode(
                      {{0x00080005, "CS", "X"},
                       {0x00080050, "SH", "ACC"},
                       {0x00080060, "CS", "CT"},
                       {0x00100010, "PN", "A^B"},
                       {0x00100020, "LO", "new"}},
                      form));
}

TEST_CASE("additions to nested items and behind them, all at one byte")
{
    const raw::Form form{};
    const Elements tree{{0x00081110, "SQ", "", {{{0x00401101, "SQ", "", {{}}}}}}};
    const auto result = rewritten(encode(tree, form), form, [](Rewriter& rewriter, const ElementIndex&) {
        rewriter.insert(ElementIndex::None, tags::PatientID, vr::LO, "outer");
        rewriter.insert(1, Tag{0x00403001}, vr::LO, "middle");
        rewriter.insert(3, tags::CodeValue, vr::SH, "inner");
    });
    const Elements expected{
        {0x00081110,
         "SQ",
         "",
         {{{0x00401101, "SQ", "", {{{0x00080100, "SH", "inner"}}}}, {0x00403001, "LO", "middle"}}}},
        {0x00100020, "LO", "outer"}};
    CHECK(result == encode(expected, form));
}

TEST_CASE("a value too long for a 16-bit length becomes UN in explicit VR and stays what it was in implicit")
{
    const std::string value(70'000, 'x');
    for (const auto& form : every_form) {
        CAPTURE(form.explicit_vr, form.big_endian);
        const auto bytes = encode(sample(true), form);
        const auto result = rewritten(bytes, form, [&](Rewriter& rewriter, const ElementIndex& index) {
            rewriter.replace(index.find(tags::MedicalAlerts), value);
        });
        const auto index = ElementIndex::walk(result, encoding_of(form));
        const auto found = index.find(tags::MedicalAlerts);
        REQUIRE(found != ElementIndex::None);
        CHECK(index.value(index[found]) == value);
        CHECK(index[found].vr == (form.explicit_vr ? vr::UN : vr::LO));
    }
}

TEST_CASE("a group length that lies is put right where its group changes, else left alone")
{
    const raw::Form form{};
    auto bytes = encode(sample(true), form);
    const auto index = ElementIndex::walk(bytes, ExplicitLittleEndian);
    const auto length_of_8 = index[index.find(Tag{0x00080000})].value_offset();
    bytes.replace(length_of_8, 4, raw::u32(3));
    const auto changed = rewritten(bytes, form, [](Rewriter& rewriter, const ElementIndex& here) {
        rewriter.remove(here.find(tags::SOPInstanceUID));
    });
    auto tree = sample(true);
    tree.erase(tree.begin() + 2);
    CHECK(changed == encode(tree, form));
    const auto elsewhere = rewritten(bytes, form, [](Rewriter& rewriter, const ElementIndex& here) {
        rewriter.replace(here.find(tags::PatientID), "1");
    });
    CHECK(elsewhere.substr(length_of_8, 4) == raw::u32(3));
}

TEST_CASE("a group length can go, alone or with its group")
{
    const raw::Form form{};
    auto tree = sample(true);
    const auto bytes = encode(tree, form);
    const auto result = rewritten(bytes, form, [](Rewriter& rewriter, const ElementIndex& index) {
        rewriter.remove(index.find(Tag{0x00080000}));
        rewriter.remove(index.find(tags::SOPInstanceUID));
    });
    tree.erase(tree.begin());
    tree.erase(tree.begin() + 1);
    CHECK(result == encode(tree, form));
}

TEST_CASE("what hides in UN is patched in the encoding it is written in")
{
    const raw::Form implicit{.explicit_vr = false};
    const auto inside = [&](const char* name) {
        return raw::item_of(raw::text(0x00100010, "PN", name, implicit), implicit);
    };
    for (const raw::Form& around : {raw::Form{}, raw::Form{.defined_lengths = false}}) {
        const auto bytes = raw::sequence(0x00291010, inside("Original"), around, "UN");
        const auto result = rewritten(bytes, {}, [](Rewriter& rewriter, const ElementIndex& index) {
            rewriter.replace(2, "New");
            rewriter.insert(index[2].parent, tags::PatientID, vr::LO, "1");
        });
        const auto item = raw::item_of(
            raw::text(0x00100010, "PN", "New", implicit) + raw::text(0x00100020, "LO", "1", implicit),
            implicit);
        CHECK(result == raw::sequence(0x00291010, item, around, "UN"));
    }
}

TEST_CASE("two patches of the same bytes are a fault of the caller")
{
    const auto bytes = encode(sample(false), {});
    const auto twice = [](Rewriter& rewriter, const ElementIndex& index) {
        rewriter.remove(index.find(tags::PatientID));
        rewriter.replace(index.find(tags::PatientID), "x");
    };
    CHECK_THROWS_AS(rewritten(bytes, {}, twice), Error);
    const auto inside_removed = [](Rewriter& rewriter, const ElementIndex& index) {
        rewriter.remove(2);
        rewriter.replace(index.first_child(index.first_child(2)), "x");
    };
    CHECK_THROWS_AS(rewritten(bytes, {}, inside_removed), Error);
}

TEST_CASE("untouched bytes are borrowed, not copied")
{
    const auto bytes = encode(sample(false), {});
    const auto index = ElementIndex::walk(bytes, ExplicitLittleEndian);
    Rewriter rewriter{index};
    rewriter.replace(index.find(tags::PatientID), "1");
    CHECK(rewriter.changes());
    const auto rope = rewriter.finish();
    REQUIRE(rope.pieces().size() == 3);
    CHECK(rope.pieces().front().data() == bytes.data());
    CHECK(rope.pieces().back().data() + rope.pieces().back().size() == bytes.data() + bytes.size());
}

TEST_CASE("a long value goes in by pieces, and what surrounds it grows")
{
    for (const auto& form : every_form) {
        const auto inside = [&](const std::string& value) {
            return encode(
                {Node{0x00081115, "SQ", "", {{Node{0x00080000, "UL"}, Node{0x0008103e, "LO", value}}}}},
                form);
        };
        const auto before = inside("old ");
        const auto index = ElementIndex::walk(before, encoding_of(form));
        const auto leaf = index.size() - 1;
        const auto whole = encode({Node{0x0008103e, "LO", "a longer value"}}, form);
        Rope rope;
        rope.borrow(std::string_view{whole}.substr(0, 9));
        rope.own(whole.substr(9));
        Rewriter rewriter{index};
        rewriter.replace_raw(leaf, std::move(rope));
        CHECK(rewriter.finish().str() == inside("a longer value"));
    }
}
