#include "net/node_book.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using dcmpipe::Error;
using dcmpipe::net::resolve_node;
using dcmpipe::test::Scratch;

TEST_CASE("a node is written out, or called by its name in any of the known forms")
{
    const Scratch scratch;
    const auto read = [&](std::string_view json, std::string_view name) {
        const auto path = scratch.path() / "nodes.json";
        std::ofstream{path} << json;
        return resolve_node(name, path).text();
    };
    CHECK(resolve_node("A@b:1", {}).text() == "A@b:1");
    CHECK(read("{}", "A@b:1") == "A@b:1");
    // The seeds' forms: an object by name, an array with names.
    CHECK(
        read(
            R"({"nodes": {"pacs": {"name": "Big", "ip": "10.0.0.1", "port": 104, "aet": "P", "enabled": true}}})",
            "pacs") == "P@10.0.0.1:104");
    CHECK(
        read(R"({"nodes": {"pacs": {"name": "Big", "ip": "10.0.0.1", "port": 104, "aet": "P"}}})", "Big") ==
        "P@10.0.0.1:104");
    CHECK(
        read(
            R"({"nodes": [{"id": 7, "name": "n", "ae_title": "Q", "ip_address": "::1", "port": "11112"}]})",
            "7") == "Q@[::1]:11112");
    // Orthanc's.
    CHECK(
        read(R"({"DicomModalities": {"o": ["ORTHANC", "localhost", 4242, "Generic"]}})", "o") ==
        "ORTHANC@localhost:4242");
    CHECK(read(R"({"DicomModalities": {"o": {"AET": "O", "Host": "h", "Port": 1}}})", "o") == "O@h:1");

    CHECK_THROWS_AS(read(R"({"nodes": {}})", "pacs"), Error);
    CHECK_THROWS_AS(
        read(R"({"nodes": {"a": {"aet": "A", "ip": "b", "port": 1, "enabled": false}}})", "a"), Error);
    CHECK_THROWS_AS(read(R"({"nodes": {"a": {"aet": "A", "ip": "b"}}})", "a"), Error);
    CHECK_THROWS_AS(resolve_node("pacs", {}), Error);
    CHECK_THROWS_AS(read(R"({"other": {}})", "pacs"), Error);
    CHECK_THROWS_AS(read(R"({"nodes": {"a": {"aet": "A", "ip": "b", "port": 1, "prot": 2}}})", "a"), Error);
}

TEST_CASE("the enabled nodes of a file, in its order")
{
    const Scratch scratch;
    const auto path = scratch.path() / "nodes.json";
    std::ofstream{path} << R"({"nodes": [{"aet": "B", "ip": ["10.0.0.2", "10.0.0.3"], "port": 1},
        {"aet": "OFF", "ip": "10.0.0.9", "port": 1, "enabled": false}, {"aet": "A", "ip": "::2", "port": "2"}]})";
    const auto nodes = dcmpipe::net::enabled_nodes(path);
    REQUIRE(nodes.size() == 2);
    CHECK(nodes[0].text() == "B@10.0.0.2:1");
    CHECK(nodes[1].text() == "A@[::2]:2");
}
