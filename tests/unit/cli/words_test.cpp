#include "cli/words.hpp"

#include "support/scratch.hpp"

#include <cstdlib>
#include <fstream>
#include <map>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::cli;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

enum class Colour { Red, Green };

constexpr About about{
    .name = "dpipe-paint",
    .summary = "Paint a wall.",
    .usage = "-o DIR WALL...",
    .examples = "  dpipe-paint -o out wall\n  dpipe-paint --colour green wall\n"};

/// A command line, its environment and its configuration file: what comes of them.
struct Paint {
    fs::path out;
    unsigned coats = 1;
    Colour colour = Colour::Red;
    bool glossy = false;
    std::vector<std::string> brushes;
    std::optional<double> width;
    Size bucket{1024};
    fs::path config;
    std::vector<std::string> inputs;
    std::string values; ///< as --show-config prints them

    Words words{about};

    Paint()
    {
        words.inputs("WALL", "what to paint");
        words.out(out, "where it goes").required();
        words.option("-c,--coats", coats, "N", "how often").shows("1").alias("layers");
        words.choice("--colour", colour, {{"red", Colour::Red}, {"green", Colour::Green}}, "which one");
        words.flag("-g,--glossy", glossy, "so that it shines");
        words.option("--brush", brushes, "NAME", "may be given several times");
        words.option("--width", width, "METRES", "of the wall");
        words.option("--bucket", bucket, "BYTES", "how large");
        words.option("--config", config, "FILE", "read options from a JSON file");
        words.refuse_secret("--password", "--password-file");
    }

    explicit Paint(std::vector<const char*> line, const std::map<std::string, std::string>& environment = {})
        : Paint()
    {
        for (const auto& [name, value] : environment) {
            ::setenv(name.c_str(), value.c_str(), 1);
        }
        line.insert(line.begin(), "dpipe-paint");
        const auto clean = [&] {
            for (const auto& [name, value] : environment) {
                ::unsetenv(name.c_str());
            }
        };
        try {
            inputs = words.parse(static_cast<int>(line.size()), line.data());
        } catch (...) {
            clean();
            throw;
        }
        clean();
        values = words.effective_values();
    }
};

/// The message that a wrong command line ends in.
std::string refusal(std::vector<const char*> line, const std::map<std::string, std::string>& environment = {})
{
    try {
        Paint{std::move(line), environment};
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::Usage);
        return error.what();
    }
    return "(accepted)";
}

} // namespace

TEST_CASE("options, flags, lists and inputs arrive")
{
    const Paint paint{
        {"-o", "dir", "--coats", "3", "a", "--brush", "x", "--brush=y", "-g", "--colour", "green", "--width",
         "2.5", "--bucket", "3K", "--", "-b"}};
    CHECK(paint.out == "dir");
    CHECK(paint.coats == 3);
    CHECK(paint.glossy);
    CHECK(paint.colour == Colour::Green);
    CHECK(paint.brushes == std::vector<std::string>{"x", "y"});
    CHECK(paint.width == 2.5);
    CHECK(paint.bucket.bytes == 3072);
    CHECK(paint.inputs == std::vector<std::string>{"a", "-b"});
    CHECK(Paint{{"--layers", "4"}}.coats == 4);
    CHECK(Paint{{"-c4", "-"}}.coats == 4);
}

TEST_CASE("what nobody gives stays as it was")
{
    const Paint paint{std::vector<const char*>{}};
    CHECK(paint.coats == 1);
    CHECK(paint.bucket.bytes == 1024);
    CHECK(paint.width == std::nullopt);
    CHECK(paint.brushes.empty());
    CHECK_THAT(paint.values, Contains("coats = 1  (default)\n"));
    CHECK_THROWS_WITH(paint.words.check_required(), "-o/--out is missing");
}

TEST_CASE("an unknown option is refused with the one that was meant; its value is not said")
{
    CHECK(refusal({"--coat", "2"}) == "unknown option '--coat': did you mean --coats?");
    CHECK(refusal({"--color=green"}) == "unknown option '--color': did you mean --colour?");
    CHECK(refusal({"--frobnicate"}) == "unknown option '--frobnicate'");
    CHECK(refusal({"-z"}) == "unknown option '-z'");
    CHECK_THAT(refusal({"--pasword=hunter2"}), !Contains("hunter2"));
}

TEST_CASE("a word too many is refused where a command takes none")
{
    Words words{about};
    bool flag = false;
    words.flag("--flag", flag, "a flag");
    const char* const line[] = {"dpipe-paint", "--flag", "wall"};
    CHECK_THROWS_WITH(words.parse(3, line), "unexpected word 'wall'");
}

TEST_CASE("a secret is never an option's value")
{
    for (auto line : {std::vector{"--password", "hunter2"}, std::vector{"--password=hunter2"}}) {
        const auto message = refusal(line);
        CHECK_THAT(message, Contains("use --password-file") && !Contains("hunter2"));
    }
}

TEST_CASE("values that make no sense are refused, with the option and where it came from")
{
    CHECK_THAT(refusal({"--coats", "many"}), Contains("--coats (option)") && Contains("not a whole number"));
    CHECK_THAT(refusal({"--coats", "-1"}), Contains("not a whole number in range"));
    CHECK_THAT(refusal({"--coats", "99999999999"}), Contains("not a whole number in range"));
    CHECK_THAT(refusal({"--coats", "1", "--coats", "2"}), !Contains("accepted"));
    CHECK_THAT(refusal({"--coats"}), !Contains("accepted"));
    CHECK_THAT(refusal({"--colour", "blue"}), Contains("not one of red|green"));
    CHECK_THAT(refusal({"-o", ""}), Contains("an empty path"));
    for (const auto* const number : {"-1", "nan", "inf", "1e999", "1,5", "2m", ""}) {
        CAPTURE(number);
        CHECK_THAT(refusal({"--width", number}), Contains("not a number of 0 or more"));
    }
    for (const auto* const size : {"", "K", "-1", "1.5G", "99999999999T", "1k"}) {
        CAPTURE(size);
        CHECK_THAT(refusal({"--bucket", size}), !Contains("accepted"));
    }
    CHECK_THAT(refusal({}, {{"DPIPE_GLOSSY", "maybe"}}), Contains("--glossy (environment)"));
}

TEST_CASE("option before environment before configuration before default")
{
    const test::Scratch scratch;
    const auto file = (scratch / "c.json").string();
    std::ofstream{file} << R"({"coats": 5, "colour": "green", "brush": ["f", 7], "unknown": 1, // a comment
                              "other": {"coats": 9}, "paint": {"width": 4, "glossy": true}})";
    const std::vector<const char*> with_config{"--config", file.c_str()};
    {
        const Paint paint{with_config};
        CHECK(paint.coats == 5);
        CHECK(paint.colour == Colour::Green);
        CHECK(paint.width == 4);
        CHECK(paint.glossy);
        CHECK(paint.brushes == std::vector<std::string>{"f", "7"});
        CHECK_THAT(paint.values, Contains("coats = 5  (" + file + ")"));
    }
    {
        const Paint paint{with_config, {{"DPIPE_COATS", "6"}, {"DPIPE_BRUSH", "e"}}};
        CHECK(paint.coats == 6);
        CHECK(paint.brushes == std::vector<std::string>{"e"});
        CHECK_THAT(paint.values, Contains("coats = 6  (environment)"));
    }
    auto line = with_config;
    line.insert(line.end(), {"--coats", "7", "--brush", "o"});
    {
        const Paint paint{line, {{"DPIPE_COATS", "6"}, {"DPIPE_BRUSH", "e"}}};
        CHECK(paint.coats == 7);
        CHECK(paint.brushes == std::vector<std::string>{"o"});
        CHECK_THAT(paint.values, Contains("coats = 7  (option)"));
    }
    {
        const Paint paint{line, {{"DPIPE_COATS", "6"}, {"DPIPE_BRUSH", "e"}, {"DPIPE_PRECEDENCE", "env"}}};
        CHECK(paint.coats == 6);
        CHECK(paint.brushes == std::vector<std::string>{"e"});
        CHECK_THAT(paint.values, Contains("coats = 6  (environment)"));
    }
    CHECK(Paint{{}, {{"DPIPE_CONFIG", file}}}.coats == 5);
    CHECK_THAT(refusal({}, {{"DPIPE_PRECEDENCE", "environment"}}), Contains("DPIPE_PRECEDENCE"));
}

TEST_CASE("a configuration that is wrong is refused, with line and column")
{
    const test::Scratch scratch;
    const auto refused = [&](std::string_view json) {
        const auto file = (scratch / "c.json").string();
        std::ofstream{file} << json;
        return refusal({"--config", file.c_str()});
    };
    CHECK_THAT(refused("{\n \"paint\": {\"coat\": 2}}"), Contains("line 2") && Contains("no option 'coat'"));
    CHECK_THAT(refused("{\"coats\": \"x\"}"), Contains("--coats"));
    CHECK_THAT(refused("[1]"), Contains("not a JSON object"));
    CHECK_THAT(refused("{"), !Contains("accepted"));
    CHECK_THAT(refused("{\"paint\": 3}"), !Contains("accepted"));
    CHECK_THAT(refusal({"--config", "/no/such"}), Contains("/no/such"));
}

TEST_CASE("help leads with usage, summary and examples, and shows every option that is not hidden")
{
    Paint paint;
    bool secret = false;
    paint.words.flag("--inner", secret, "for tests").hidden = true;
    const auto help = paint.words.help();
    CHECK(help.starts_with("Usage: dpipe-paint -o DIR WALL...\n\nPaint a wall.\n\nExamples:\n"));
    CHECK_THAT(help, Contains("  -o, --out DIR               where it goes [required]\n"));
    CHECK_THAT(help, Contains("  -c, --coats N               how often [1]\n"));
    CHECK_THAT(help, Contains("--colour red|green") && Contains("  WALL "));
    CHECK_THAT(help, !Contains("--inner") && !Contains("--password"));
}
