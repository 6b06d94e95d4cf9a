#include "filter/rules.hpp"

#include "core/error.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::filter;

namespace {

std::string error_of(std::string_view text)
{
    try {
        parse_rules("mine", text, {});
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::Usage);
        return error.what();
    }
    return {};
}

} // namespace

TEST_CASE("what is wrong in a rule file is told by line and column")
{
    CHECK(error_of(R"({"dcmpipe-filter": 1, "rules": []})").empty());
    CHECK(error_of("{\n  \"rules\": []\n}").find("'dcmpipe-filter' must be 1") != std::string::npos);
    CHECK(
        error_of("{\"dcmpipe-filter\": 1,\n \"rules\": [\n  {\"reject\": {\"No/Such\": 1}}]}")
            .find("line 3, column 23") != std::string::npos);
}

TEST_CASE("every ready-made rule file is sound")
{
    for (const auto name : ready_made_names()) {
        CHECK_NOTHROW(load_rules(name));
    }
    CHECK(ready_made_names().size() >= 6);
    CHECK_THROWS_AS(load_rules("no-such-rules"), Error);
}

TEST_CASE("an attribute's word leads to a tag, a path or a value")
{
    CHECK(Attribute::parse("Modality").top() == dicom::Tag{0x0008, 0x0060});
    CHECK(Attribute::parse("(0008,0060)").top() == dicom::Tag{0x0008, 0x0060});
    CHECK(Attribute::parse("ProcedureCodeSequence/CodeValue").top() == dicom::Tag{0x0008, 0x1032});
    for (const auto* const wrong :
         {"", "Modality/", "Modality[", "Modality]", "Modality[]", "Modality[0]", "Modality[x]"}) {
        CHECK_THROWS_AS(Attribute::parse(wrong), Error);
    }
}
