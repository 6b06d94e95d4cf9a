#include "net/access.hpp"

#include "core/error.hpp"
#include "net/node_file.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::net {

namespace {

struct Permission {
    std::string_view name;
    Rights rights;
};
constexpr std::array<Permission, 4> permissions{
    {{"", {.read = true, .write = true}},
     {"read", {.read = true, .write = false}},
     {"write", {.read = false, .write = true}},
     {"read_write", {.read = true, .write = true}}}};

KnownNode known_node(const NodeFile& file, const NodeEntry& entry)
{
    if (entry.orthancs) {
        file.fail(entry, {}, "Orthanc's nodes name whom to call, not who may call");
    }
    const auto* const permission = std::find_if(
        permissions.begin(), permissions.end(), [&](const auto& p) { return p.name == entry.permission; });
    if (permission == permissions.end()) {
        file.fail(entry, "permission", "not one of read, write, read_write");
    }
    KnownNode node{.aet = entry.aet, .networks = {}, .rights = permission->rights};
    for (const auto& address : entry.addresses) {
        try {
            const auto more = networks_of(address);
            node.networks.insert(node.networks.end(), more.begin(), more.end());
        } catch (const Error& error) {
            file.fail(entry, {}, error.reason());
        }
    }
    return node;
}

} // namespace

std::vector<KnownNode> read_nodes_file(const std::filesystem::path& path)
{
    const auto file = NodeFile::read(path);
    std::vector<KnownNode> nodes;
    for (const auto& entry : file.entries()) {
        auto node = known_node(file, entry);
        if (entry.enabled) {
            nodes.push_back(std::move(node));
        }
    }
    return nodes;
}

namespace {

bool contains(const std::vector<Network>& networks, const IpAddress& address)
{
    return networks.empty() || std::any_of(networks.begin(), networks.end(), [&](const Network& network) {
               return network.contains(address);
           });
}

} // namespace

bool AccessList::admits(const IpAddress& address) const
{
    return contains(networks, address) &&
           (!nodes || std::any_of(nodes->begin(), nodes->end(), [&](const KnownNode& node) {
               return contains(node.networks, address);
           }));
}

std::optional<Rights> AccessList::rights_of(std::string_view calling_aet, const IpAddress& address) const
{
    if (!contains(networks, address) ||
        (!aets.empty() && std::find(aets.begin(), aets.end(), calling_aet) == aets.end())) {
        return std::nullopt;
    }
    if (!nodes) {
        return Rights{.read = true, .write = true};
    }
    const auto node = std::find_if(nodes->begin(), nodes->end(), [&](const KnownNode& known) {
        return known.aet == calling_aet && contains(known.networks, address);
    });
    return node != nodes->end() ? std::optional{node->rights} : std::nullopt;
}

} // namespace dcmpipe::net
