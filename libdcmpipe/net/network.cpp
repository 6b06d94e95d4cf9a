#include "net/network.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>

namespace dcmpipe::net {

namespace {

constexpr unsigned mapped_prefix = 96; ///< before the 32 bits of an IPv4 address

[[noreturn]] void refuse(std::string_view reason)
{
    throw Error{ErrorKind::Usage, std::string{reason}};
}

IpAddress mapped(const void* four_bytes)
{
    IpAddress address{};
    address[10] = address[11] = 0xff;
    std::memcpy(&address[12], four_bytes, 4);
    return address;
}

bool bit(const IpAddress& address, unsigned number)
{
    return (address[number / 8] >> (7 - number % 8) & 1U) != 0;
}

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

} // namespace

std::optional<IpAddress> ip_address(std::string_view text)
{
    const std::string name{text.substr(0, text.find('%'))};
    IpAddress address{};
    if (::inet_pton(AF_INET6, name.c_str(), address.data()) == 1) {
        return address;
    }
    in_addr four{};
    if (::inet_pton(AF_INET, name.c_str(), &four) == 1) {
        return mapped(&four);
    }
    return std::nullopt;
}

Network Network::parse(std::string_view text)
{
    const auto slash = text.find('/');
    const auto address = ip_address(text.substr(0, slash));
    if (!address) {
        refuse("neither an address nor a block of addresses as in 10.1.0.0/16");
    }
    Network network;
    network.address_ = *address;
    if (slash != text.npos) {
        const auto digits = text.substr(slash + 1);
        const unsigned before = text.find(':') == text.npos ? mapped_prefix : 0;
        unsigned prefix = 0;
        const auto* const end = digits.data() + digits.size();
        const auto [rest, error] = std::from_chars(digits.data(), end, prefix);
        if (error != std::errc{} || rest != end || prefix > 128 - before) {
            refuse("the length behind the slash is no number of address bits");
        }
        network.prefix_ = before + prefix;
    }
    for (unsigned i = network.prefix_; i < 128; ++i) {
        if (bit(network.address_, i)) {
            refuse("the address has bits set behind those that the length counts");
        }
    }
    return network;
}

bool Network::contains(const IpAddress& address) const noexcept
{
    for (unsigned i = 0; i < prefix_; ++i) {
        if (bit(address, i) != bit(address_, i)) {
            return false;
        }
    }
    return true;
}

void read_value(std::string_view text, Network& network)
{
    network = Network::parse(text);
}

std::vector<Network> networks_of(const std::string& host)
{
    if (ip_address(host) || host.find('/') != host.npos) {
        return {Network::parse(host)};
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) {
        refuse("the name server does not know this host");
    }
    const std::unique_ptr<addrinfo, FreeAddresses> list{found};
    std::vector<Network> networks;
    for (const auto* one = list.get(); one != nullptr; one = one->ai_next) {
        std::array<char, NI_MAXHOST> name{};
        const int result = ::getnameinfo(
            one->ai_addr, one->ai_addrlen, name.data(), name.size(), nullptr, 0, NI_NUMERICHOST);
        if (result == 0) {
            networks.push_back(Network::parse(name.data()));
        }
    }
    return networks;
}

} // namespace dcmpipe::net
