#include "net/access.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "net/node.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace dcmpipe::net {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 2> aet_keys{"aet", "ae_title"};
constexpr std::array<std::string_view, 4> address_keys{"address", "ip", "ip_address", "host"};
constexpr std::array<std::string_view, 2> enabled_keys{"enabled", "is_active"};
constexpr std::array<std::string_view, 4> other_keys{"id", "name", "description", "port"};

struct Permission {
    std::string_view name;
    Rights rights;
};
constexpr std::array<Permission, 3> permissions{
    {{"read", {.read = true, .write = false}},
     {"write", {.read = false, .write = true}},
     {"read_write", {.read = true, .write = true}}}};

template <std::size_t Count>
bool is_one_of(std::string_view key, const std::array<std::string_view, Count>& keys)
{
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// One node of the file.
class NodeReader {
public:
    NodeReader(const JsonText& text, std::string pointer) : text_(text), pointer_(std::move(pointer)) {}

    /// Nothing where it is not enabled.
    std::optional<KnownNode> read(const json& value)
    {
        if (!value.is_object()) {
            text_.fail(pointer_, "a node is an object");
        }
        for (const auto& [key, member] : value.items()) {
            member_pointer_ = pointer_ + "/" + key;
            take(key, member);
        }
        if (node_.aet.empty()) {
            text_.fail(pointer_, "the node has no aet");
        }
        return enabled_ ? std::optional{std::move(node_)} : std::nullopt;
    }

private:
    void take(const std::string& key, const json& member)
    {
        if (is_one_of(key, aet_keys)) {
            node_.aet = string_of(member);
            if (!is_valid_aet(node_.aet)) {
                fail("the AE title has 1 to 16 printable ASCII characters and no backslash");
            }
        } else if (is_one_of(key, address_keys)) {
            take_addresses(member);
        } else if (is_one_of(key, enabled_keys)) {
            if (!member.is_boolean()) {
                fail("neither true nor false");
            }
            enabled_ = enabled_ && member.get<bool>();
        } else if (key == "permission") {
            const auto name = string_of(member);
            const auto* const found = std::find_if(
                permissions.begin(), permissions.end(), [&](const auto& p) { return p.name == name; });
            if (found == permissions.end()) {
                fail("not one of read, write, read_write");
            }
            node_.rights = found->rights;
        } else if (!is_one_of(key, other_keys)) {
            fail("a node has no such key");
        }
    }

    void take_addresses(const json& member)
    {
        if (member.is_array() && member.empty()) {
            fail("no address is none from which it may call: leave the key out, or disable the node");
        }
        for (const auto& one : member.is_array() ? member : json::array({member})) {
            try {
                const auto more = networks_of(string_of(one));
                node_.networks.insert(node_.networks.end(), more.begin(), more.end());
            } catch (const Error& error) {
                fail(error.reason());
            }
        }
    }

    std::string string_of(const json& member) const
    {
        if (!member.is_string() || member.get_ref<const std::string&>().empty()) {
            fail("not a text");
        }
        return member.get<std::string>();
    }

    [[noreturn]] void fail(std::string_view reason) const { text_.fail(member_pointer_, reason); }

    const JsonText& text_;
    std::string pointer_;
    std::string member_pointer_{};
    KnownNode node_{.aet = {}, .networks = {}, .rights = {.read = true, .write = true}};
    bool enabled_ = true;
};

} // namespace

std::vector<KnownNode> read_nodes_file(const std::filesystem::path& path)
{
    const auto text = JsonText::from_file("the nodes file", path);
    const auto& root = text.root();
    const auto found = root.is_object() ? root.find("nodes") : root.end();
    if (found == root.end() || !(found->is_array() || found->is_object())) {
        text.fail("", "it has no nodes, as an array or an object");
    }
    std::vector<KnownNode> nodes;
    for (const auto& [key, value] : found->items()) {
        if (auto node = NodeReader{text, "/nodes/" + key}.read(value)) {
            nodes.push_back(std::move(*node));
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
