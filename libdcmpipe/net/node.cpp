#include "net/node.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

constexpr std::size_t longest_aet = 16;

bool is_aet_character(char c)
{
    return c >= ' ' && c <= '~' && c != '\\';
}

[[noreturn]] void refuse(std::string_view reason)
{
    throw Error{ErrorKind::Usage, std::string{reason}};
}

std::uint16_t port_from(std::string_view text)
{
    std::uint16_t port = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc{} || rest != end || port == 0) {
        refuse("the port is no number from 1 to 65535");
    }
    return port;
}

/// As no name of a host does (RFC 1123 §2.1).
bool ends_in_number(std::string_view host)
{
    const auto last = host.substr(host.rfind('.') + 1);
    return host.find('.') != host.npos && !last.empty() &&
           std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_ipv4(std::string_view host)
{
    in_addr address{};
    return ::inet_pton(AF_INET, std::string{host}.c_str(), &address) == 1;
}

/// Letters, digits, dots, dashes; in brackets an IPv6 address: what neither a URL nor a shell misreads.
bool is_host(std::string_view host, bool bracketed)
{
    const std::string_view more = bracketed ? ":.%" : ".-_";
    const bool letters =
        !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [&](char c) {
            const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            return plain || more.find(c) != std::string_view::npos;
        });
    return letters &&
           (bracketed || (host.find("..") == host.npos && (!ends_in_number(host) || is_ipv4(host))));
}

} // namespace

bool is_valid_aet(std::string_view aet) noexcept
{
    return !aet.empty() && aet.size() <= longest_aet &&
           std::all_of(aet.begin(), aet.end(), is_aet_character) &&
           aet.find_first_not_of(' ') != std::string_view::npos;
}

void check_aet(std::string_view aet)
{
    if (!is_valid_aet(aet)) {
        throw Error{
            ErrorKind::Usage, "wrong AE title", printable_aet(aet),
            "it has 1 to 16 printable ASCII characters and no backslash"};
    }
}

std::string printable_aet(std::string_view aet)
{
    std::string printable{aet.substr(0, longest_aet)};
    std::replace_if(
        printable.begin(), printable.end(), [](char c) { return !is_aet_character(c); }, '?');
    return printable;
}

Node Node::parse(std::string_view text)
{
    const auto at = text.rfind('@');
    const auto colon = text.rfind(':');
    if (at == text.npos || colon == text.npos || colon < at) {
        refuse("a node is written AET@host:port");
    }
    Node node;
    node.aet = text.substr(0, at);
    if (!is_valid_aet(node.aet)) {
        refuse("the AE title has 1 to 16 printable ASCII characters and no backslash");
    }
    auto host = text.substr(at + 1, colon - at - 1);
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    if (!is_host(host, bracketed)) {
        refuse("the host is neither a name nor an address (an IPv6 address stands in brackets)");
    }
    node.host = host;
    node.port = port_from(text.substr(colon + 1));
    return node;
}

std::string Node::text() const
{
    return fmt::format("{}@{}", aet, endpoint_text(host, port));
}

std::string endpoint_text(std::string_view host, std::uint16_t port)
{
    return host.find(':') == host.npos ? fmt::format("{}:{}", host, port)
                                       : fmt::format("[{}]:{}", host, port);
}

void read_value(std::string_view text, Node& node)
{
    node = Node::parse(text);
}

} // namespace dcmpipe::net
