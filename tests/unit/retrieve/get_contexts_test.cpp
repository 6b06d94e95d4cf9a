#include "retrieve/get_contexts.hpp"

#include "dicom/uid.hpp"

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

using dcmpipe::net::ProposedContext;
using dcmpipe::retrieve::contexts_for_get;

namespace {

const std::string ct = "1.2.840.10008.5.1.4.1.1.2";

std::set<std::string> classes_in(const std::vector<ProposedContext>& contexts)
{
    std::set<std::string> classes;
    for (const auto& context : contexts) {
        classes.insert(context.abstract_syntax);
    }
    return classes;
}

} // namespace

TEST_CASE("each syntax of a known class has a context of its own, and we are its SCP")
{
    const auto contexts = contexts_for_get({ct}, "CT");
    CHECK(contexts.front().abstract_syntax == dcmpipe::dicom::uid::StudyRootGet);
    CHECK_FALSE(contexts.front().as_scp);
    std::set<std::string> syntaxes;
    for (const auto& context : contexts) {
        if (context.abstract_syntax == ct) {
            CHECK(context.as_scp);
            REQUIRE(context.transfer_syntaxes.size() == 1);
            CHECK(syntaxes.insert(context.transfer_syntaxes.front()).second);
        }
    }
    CHECK(syntaxes.contains("1.2.840.10008.1.2"));
    CHECK(syntaxes.contains("1.2.840.10008.1.2.4.53"));
}

TEST_CASE("many classes share the contexts, and no association has more than 128")
{
    std::set<std::string> many;
    for (int i = 1; i <= 300; ++i) {
        many.insert("1.2." + std::to_string(i));
        const auto contexts = contexts_for_get(many, "");
        CHECK(contexts.size() <= 128);
        CHECK(classes_in(contexts).size() == std::min<std::size_t>(many.size(), 127) + 1);
        for (const auto& context : contexts) {
            CHECK(context.transfer_syntaxes.size() <= 50);
        }
    }
}

TEST_CASE("where the class is unknown, all have their turn over the attempts")
{
    std::set<std::string> seen;
    for (unsigned attempt = 0; attempt < 4; ++attempt) {
        const auto contexts = contexts_for_get({}, "CT", attempt);
        CHECK(contexts.size() <= 128);
        const auto classes = classes_in(contexts);
        CHECK(classes.contains(ct));
        seen.insert(classes.begin(), classes.end());
    }
    CHECK(seen.contains("1.2.840.10008.5.1.4.1.1.30"));   // parametric maps
    CHECK(seen.contains("1.2.840.10008.5.1.4.1.1.66"));   // raw data
    CHECK(seen.contains("1.2.840.10008.5.1.4.1.1.91.1")); // microscopy annotations
}
