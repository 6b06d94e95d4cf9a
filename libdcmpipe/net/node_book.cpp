#include "net/node_book.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::net {

namespace {

using nlohmann::json;

/// The first member of these names; null where there is none.
const json* member(const json& node, std::initializer_list<const char*> names)
{
    for (const auto* const name : names) {
        if (const auto found = node.find(name); found != node.end()) {
            return &*found;
        }
    }
    return nullptr;
}

std::string text_of(const json* value)
{
    return value == nullptr || value->is_null() ? std::string{}
           : value->is_string()                 ? value->get<std::string>()
                                                : value->dump();
}

bool is_called(const json& node, std::string_view name)
{
    return text_of(member(node, {"name"})) == name || text_of(member(node, {"id"})) == name;
}

/// The node of this name and its place in the file; null where there is none.
std::pair<const json*, std::string> find(const json& root, std::string_view name)
{
    for (const auto* const list : {"nodes", "DicomModalities"}) {
        const auto nodes = root.find(list);
        if (nodes == root.end()) {
            continue;
        }
        for (const auto& [key, node] : nodes->items()) {
            if ((nodes->is_object() && key == name) || (node.is_object() && is_called(node, name))) {
                return {&node, fmt::format("/{}/{}", list, key)};
            }
        }
    }
    return {nullptr, {}};
}

Node node_from(const JsonText& text, const json& node, const std::string& place)
{
    const bool is_list = node.is_array() && node.size() >= 3; // Orthanc's short form: AET, host, port
    if (!is_list && !node.is_object()) {
        text.fail(place, "not a node");
    }
    const auto part = [&](std::size_t index, std::initializer_list<const char*> names) {
        return text_of(is_list ? &node[index] : member(node, names));
    };
    const auto* const enabled = is_list ? nullptr : member(node, {"enabled", "is_active"});
    if (enabled != nullptr && *enabled != true) {
        text.fail(place, "the node is disabled");
    }
    const auto aet = part(0, {"aet", "ae_title", "AET"});
    const auto host = part(1, {"address", "host", "ip", "ip_address", "Host"});
    const auto port = part(2, {"port", "Port"});
    try {
        const bool bare_ipv6 = host.find(':') != host.npos;
        return Node::parse(fmt::format("{}@{}:{}", aet, bare_ipv6 ? "[" + host + "]" : host, port));
    } catch (const Error& error) {
        text.fail(place, error.reason());
    }
}

} // namespace

Node resolve_node(std::string_view text, const std::optional<std::filesystem::path>& nodes_file)
{
    if (!nodes_file || text.find('@') != text.npos) {
        return Node::parse(text);
    }
    const auto file = JsonText::from_file("the nodes", *nodes_file);
    const auto [node, place] = find(file.root(), text);
    if (node == nullptr) {
        throw Error{
            ErrorKind::Usage, "no node of this name", text, fmt::format("see '{}'", nodes_file->string())};
    }
    return node_from(file, *node, place);
}

} // namespace dcmpipe::net
