#include "net/node.hpp"

#include "core/error.hpp"

#include <catch2/catch.hpp>

using dcmpipe::Error;
using dcmpipe::net::Node;

TEST_CASE("a node is AET@host:port")
{
    const auto node = Node::parse("PACS@pacs.example.org:104");
    CHECK(node.aet == "PACS");
    CHECK(node.host == "pacs.example.org");
    CHECK(node.port == 104);
    CHECK(node.text() == "PACS@pacs.example.org:104");
}

TEST_CASE("titles may hold spaces and at signs, IPv6 addresses stand in brackets")
{
    const auto node = Node::parse("MY @PACS@[::1]:11112");
    CHECK(node.aet == "MY @PACS");
    CHECK(node.host == "::1");
    CHECK(node.text() == "MY @PACS@[::1]:11112");
}

TEST_CASE("what is no node is refused")
{
    for (const auto* const text :
         {"",
          "PACS",
          "PACS@host",
          "PACS:104",
          "host:104",
          "@host:104",
          "PACS@:104",
          "PACS@host:",
          "PACS@host:0",
          "PACS@host:65536",
          "PACS@host:-1",
          "PACS@host:+1",
          "PACS@host:1x",
          "PACS@::1:104",
          "PACS@a b:104",
          "PACS@ho\"st:104",
          "SEVENTEEN LETTERS@host:104",
          "    @host:104",
          "A\\B@host:104",
          "P\xc3\x84@host:104",
          "PACS@[host:104",
          "PACS@[]:104"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(Node::parse(text), Error);
    }
}

TEST_CASE("a title from a peer is made printable")
{
    CHECK(dcmpipe::net::printable_aet("GOOD ONE") == "GOOD ONE");
    CHECK(dcmpipe::net::printable_aet("a\nb\x1b\\c\xff") == "a?b??c?");
    CHECK(dcmpipe::net::printable_aet("0123456789abcdefghi") == "0123456789abcdef");
}
