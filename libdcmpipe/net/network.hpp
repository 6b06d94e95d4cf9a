#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::net {

/// An IPv4 or IPv6 address; an IPv4 address is kept as the IPv6 address that stands for it (RFC 4291
/// §2.5.5.2).
using IpAddress = std::array<std::uint8_t, 16>;

/// From numeric text, with or without a zone (`fe80::1%eth0`); nothing where it is none.
std::optional<IpAddress> ip_address(std::string_view text);

/// A block of addresses as CIDR writes it (RFC 4632): `10.1.0.0/16`, `fd00::/8`, or one address.
class Network {
public:
    /// Throws Error{Usage}, also where an address bit is set behind the prefix: such a block is a mistake.
    static Network parse(std::string_view text);

    bool contains(const IpAddress& address) const noexcept;

private:
    IpAddress address_{};
    unsigned prefix_ = 128; ///< bits of address_ that count
};

/// For options whose value is a block of addresses.
void read_value(std::string_view text, Network& network);

/// Each address of `host`, a name, an address or a block. Asks the name server for a name. Throws
/// Error{Usage} where it does not know it.
std::vector<Network> networks_of(const std::string& host);

} // namespace dcmpipe::net
