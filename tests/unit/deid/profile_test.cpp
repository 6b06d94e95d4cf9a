#include "deid/profile.hpp"

#include "core/error.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using deid::parse_profile;

namespace {

std::string error_of(std::string_view text)
{
    try {
        parse_profile("p.json", text, {});
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::Usage);
        return error.what();
    }
    return "no error";
}

} // namespace

TEST_CASE("every built-in profile can be read")
{
    for (const auto name : deid::built_in_profiles()) {
        CAPTURE(name);
        const auto profile = deid::load_profile(name);
        CHECK(profile.name == name);
        CHECK(profile.digest.size() == 64);
    }
}

TEST_CASE("an error is found where it stands, line and column")
{
    const auto error = error_of("{\n  \"dcmpipe-profile\": 1,\n  \"rules\": [\n    {\"tag\": \"Rows\", "
                                "\"action\": \"shift\"}\n  ]\n}");
    CHECK_THAT(error, Catch::Contains("p.json") && Catch::Contains("line 4, column"));
    CHECK_THAT(error, Catch::Contains("shift makes no sense for VR US"));
    CHECK_THAT(error_of("{\"dcmpipe-profile\": 1,\n \"colour\": 1}"), Catch::Contains("line 2"));
    CHECK_THAT(error_of("{\n\n\"dcmpipe-profile\": 1,,}"), Catch::Contains("line 3"));
}

TEST_CASE("whatever is not understood is refused, not passed over")
{
    const auto* const text = GENERATE(
        R"({})", R"([])", R"({"dcmpipe-profile": 2})", R"({"dcmpipe-profile": 1, "base": "none"})",
        R"({"dcmpipe-profile": 1, "options": ["clean"]})", R"({"dcmpipe-profile": 1, "options": [1]})",
        R"({"dcmpipe-profile": 1, "unknown-attributes": "maybe"})",
        R"({"dcmpipe-profile": 1, "patient-code": {"format": "x"}})",
        R"({"dcmpipe-profile": 1, "patient-code": {"kind": "random"}})",
        R"({"dcmpipe-profile": 1, "dates": {"min-weeks": 0}})",
        R"({"dcmpipe-profile": 1, "dates": {"min-weeks": 9, "max-weeks": 8}})",
        R"({"dcmpipe-profile": 1, "reject": [{"reason": "x"}]})",
        R"({"dcmpipe-profile": 1, "reject": [{"when": {"Modalityy": "CT"}}]})",
        R"({"dcmpipe-profile": 1, "rules": {}})", R"({"dcmpipe-profile": 1, "rules": [{"tag": "Rows"}]})",
        R"({"dcmpipe-profile": 1, "rules": [{"tag": "Rows", "vr": "US", "action": "keep"}]})",
        R"({"dcmpipe-profile": 1, "rules": [{"tag": "Rows", "action": "keep", "vocabulary": "x"}]})",
        R"({"dcmpipe-profile": 1, "rules": [{"tag": "StudyDescription", "action": "map", "file": "no-such"}]})",
        R"({"dcmpipe-profile": 1, "rules": [{"tag": "StudyDescription", "action": "regex", "pattern": "a", "with": "\\1"}]})");
    CAPTURE(text);
    CHECK(error_of(text) != "no error");
}

TEST_CASE("comments may stand in it; two options that exclude each other may not")
{
    CHECK_NOTHROW(parse_profile("p", "{ // why\n \"dcmpipe-profile\": 1 }", {}));
    auto profile = deid::load_profile("basic");
    add_option(profile, deid::Option::RetainLongitudinalFullDates);
    CHECK_THROWS_WITH(
        add_option(profile, deid::Option::RetainLongitudinalModifiedDates),
        Catch::Contains("exclude each other"));
}
