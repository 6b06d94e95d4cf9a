#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dcmpipe::net {

/// A peer: its AE title, host and TCP port.
struct Node {
    std::string aet;
    std::string host; ///< a name, an IPv4 or an IPv6 address, without brackets
    std::uint16_t port = 0;

    /// From `AET@host:port`; an IPv6 address stands in brackets: `PACS@[::1]:104`. Throws Error{Usage}.
    static Node parse(std::string_view text);

    /// What parse() reads.
    std::string text() const;
};

/// AE (PS3.5 §6.2): 1 to 16 printable ASCII characters without a backslash, not spaces alone.
bool is_valid_aet(std::string_view aet) noexcept;

/// Throws Error{Usage} where `aet` is none.
void check_aet(std::string_view aet);

/// A title that a peer sent, safe to log and to store: what no AE title may hold becomes `?`.
std::string printable_aet(std::string_view aet);

/// `host:port` as people write it, with an IPv6 address in brackets.
std::string endpoint_text(std::string_view host, std::uint16_t port);

/// For options whose value is a node.
void read_value(std::string_view text, Node& node);

} // namespace dcmpipe::net
