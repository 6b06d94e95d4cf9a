#include "deid/csa_header.hpp"

#include "support/raw_elements.hpp"

#include <random>

#include <catch2/catch.hpp>

using namespace dcmpipe::deid;

namespace {

std::string field(std::string text, std::size_t size)
{
    text.resize(size);
    return text;
}

/// What stands in front of the values of a tag.
std::string tag_header(const std::string& name, std::uint32_t values)
{
    return field(name, 64) + raw::u32(1) + field("IS", 4) + raw::u32(6) + raw::u32(values) + raw::u32(77);
}

std::string value(const std::string& text)
{
    const auto length = static_cast<std::uint32_t>(text.size());
    return raw::u32(length) + raw::u32(length) + raw::u32(77) + raw::u32(length) +
           field(text, (text.size() + 3) / 4 * 4);
}

std::string start(std::uint32_t tags)
{
    return "SV10\4\3\2\1" + raw::u32(tags) + raw::u32(77);
}

std::string cleaned(const std::string& protocol_lines)
{
    return cleaned_protocol("### ASCCONV BEGIN ###\n" + protocol_lines + "### ASCCONV END ###").value_or("?");
}

bool keeps(const std::string& line)
{
    return cleaned(line + "\n").find('=') != std::string::npos;
}

} // namespace

TEST_CASE("a header is read and written again")
{
    const std::vector<CsaTag> tags{
        {"B_value", 1, "IS", 6, {"1000", "", ""}},
        {"MosaicRefAcqTimes", 0, "FD", 4, {"0.5", "1450.00000001"}},
        {"FlowVenc", 1, "FD", 4, {}},
    };
    const auto again = read_csa(write_csa(tags));
    REQUIRE(again);
    REQUIRE(again->size() == 3);
    CHECK((*again)[0].name == "B_value");
    CHECK((*again)[0].values == tags[0].values);
    CHECK((*again)[1].values == tags[1].values);
    CHECK((*again)[1].vr == "FD");
    CHECK((*again)[2].values.empty());
    CHECK(write_csa(*again) == write_csa(tags));
}

TEST_CASE("what a header claims is not believed")
{
    const auto good = start(1) + tag_header("B_value", 1) + value("1000");
    REQUIRE(read_csa(good));
    const auto bad = GENERATE_COPY(
        std::string{}, std::string{"SV10"}, start(0), start(0xffffffffU), start(1),
        start(2) + good.substr(16),                     // one tag too many
        start(1) + tag_header("B_value", 0xffffffffU),  // values by the milliard
        start(1) + tag_header("B_value", 1000),         // that are not there
        start(1) + tag_header("", 0),                   // a tag without name
        start(1) + tag_header(std::string(64, 'x'), 0), // a name without end
        start(1) + tag_header("B^value", 0),            // a person's name
        start(1) + tag_header("B_value", 1) + raw::u32(0) + raw::u32(0xfffffffeU) + raw::u32(77) +
            raw::u32(0),
        start(1) + tag_header("B_value", 1) + raw::u32(0) + raw::u32(5) + raw::u32(77) + raw::u32(0) + "1000",
        "SV10\4\3\2\1" + raw::u32(1) + raw::u32(78) + good.substr(16)); // no check value
    CHECK_FALSE(read_csa(bad));
    CHECK_FALSE(cleaned_csa(bad));
}

TEST_CASE("a cut or damaged header ends in a refusal or a header, never past its end")
{
    const auto good = write_csa(
        {{"B_value", 1, "IS", 6, {"1000", "", ""}},
         {"ImaCoilString", 1, "LO", 19, {"HEA;HEP"}},
         {"MrPhoenixProtocol", 1, "UN", 0, {"### ASCCONV BEGIN ###\na = 1\n### ASCCONV END ###"}}});
    for (std::size_t size = 0; size <= good.size(); ++size) {
        // A copy of its own, so that a sanitizer sees a read behind its end.
        const std::string cut = good.substr(0, size);
        cleaned_csa(cut);
    }
    std::mt19937 random{7}; // NOLINT: the same bytes every time are wanted
    for (int round = 0; round < 20000; ++round) {
        auto damaged = good;
        for (int i = 0; i < 3; ++i) {
            damaged[random() % damaged.size()] = static_cast<char>(random());
        }
        const auto with_mark = round % 2 == 0 ? damaged : damaged.substr(8);
        if (const auto clean = cleaned_csa(with_mark)) {
            CHECK(read_csa(*clean));
        }
    }
}

TEST_CASE("the older form has lengths that begin at the first tag's count")
{
    const auto old_value = [](const std::string& text) {
        const auto length = static_cast<std::uint32_t>(text.size());
        return raw::u32(length + 2) + raw::u32(0) + raw::u32(0) + raw::u32(0) +
               field(text, (text.size() + 3) / 4 * 4);
    };
    const auto tags = read_csa(
        raw::u32(2) + raw::u32(77) + tag_header("EchoLinePosition", 2) + old_value("36") + old_value("") +
        tag_header("B_value", 1) + old_value("700"));
    REQUIRE(tags);
    REQUIRE(tags->size() == 2);
    CHECK((*tags)[0].values == std::vector<std::string>{"36", ""});
    CHECK((*tags)[1].values == std::vector<std::string>{"700"});
}

TEST_CASE("only technical tags with technical values keep them")
{
    const auto clean = cleaned_csa(write_csa(
        {{"B_value", 1, "IS", 6, {"1000"}},
         {"ProtocolSliceNumber", 1, "IS", 6, {"Doe^Jane"}},
         {"ImaCoilString", 1, "LO", 19, {"HEA;HEP"}},
         {"ImageHistory", 1, "LO", 19, {"CC:SoS", "Doe^Jane"}},
         {"PatReinPattern", 1, "ST", 23, {"1;HFS;90.00;48.00;3;0;2;-20489"}},
         {"Invented", 1, "IS", 6, {"1"}}}));
    REQUIRE(clean);
    const auto tags = *read_csa(*clean);
    REQUIRE(tags.size() == 6);
    CHECK(tags[0].values == std::vector<std::string>{"1000"});
    CHECK(tags[1].values == std::vector<std::string>{""});
    CHECK(tags[2].values == std::vector<std::string>{"HEA;HEP"});
    CHECK(tags[3].values == std::vector<std::string>{"CC:SoS", ""});
    CHECK(tags[4].values.empty());
    CHECK(tags[5].values.empty());
}

TEST_CASE("what is behind a name and a value is memory of something else")
{
    auto name = field("B_value", 64);
    name.replace(10, 8, "Doe^Jane");
    const auto header = start(1) + name + raw::u32(1) + "ISDo" + raw::u32(6) + raw::u32(1) + raw::u32(77) +
                        value(std::string{"10\0Doe^Jane", 11});
    const auto clean = cleaned_csa(header);
    REQUIRE(clean);
    CHECK(clean->find("Do") == std::string::npos);
    CHECK(read_csa(*clean)->front().values.front() == "10");
}

TEST_CASE("a protocol keeps numbers and the names of sequences and coils")
{
    for (const std::string line :
         {"sKSpace.lBaseResolution\t = \t72", "alTE[0] = 30000", "dX = -1.5e-05", "ucMode = 0x1",
          "tSequenceFileName = \"\"%SiemensSeq%\\ep2d\"\"", "tSequenceFileName = \"%SiemensSeq%\\ep2d\"",
          "a[1].sCoilElementID.tCoilID = \"Head_32\""}) {
        CAPTURE(line);
        CHECK(keeps(line));
    }
    for (const std::string line :
         {"tProtocolName = \"head\"", "tReferenceImage0 = \"1.3.12.2\"", "dPatientAge = 48",
          "flUsedPATIENTWeight = 90", "a = Jane", "a = 1 Jane", "Doe^Jane = 1", " = 1", "a = ", "a",
          "tSequenceFileName = \"Doe^Jane\"", "tSequenceFileName = \"a", "tSequenceFileName = ep2d",
          "a = 0xdeadbeefdeadbeefdead", "a = deadbeef"}) {
        CAPTURE(line);
        CHECK_FALSE(keeps(line));
    }
    CHECK_FALSE(cleaned_protocol("<XProtocol> { \"Doe^Jane\" }"));
    CHECK_FALSE(cleaned_protocol("### ASCCONV BEGIN ###\na = 1\n"));
    CHECK_FALSE(cleaned_protocol("### ASCCONV END ###### ASCCONV BEGIN ###"));
    const auto whole = cleaned_protocol("Doe\n### ASCCONV BEGIN Doe ###\na = 1\n### ASCCONV END ###\nDoe");
    REQUIRE(whole);
    CHECK(*whole == "\n### ASCCONV BEGIN ###\na\t = \t1\n### ASCCONV END ###\n");
}
