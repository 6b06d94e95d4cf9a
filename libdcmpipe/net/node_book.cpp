#include "net/node_book.hpp"

#include "core/error.hpp"
#include "net/node_file.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

Node node_from(const NodeFile& file, const NodeEntry& entry)
{
    if (!entry.enabled) {
        file.fail(entry, {}, "the node is disabled");
    }
    const auto host = entry.addresses.empty() ? std::string{} : entry.addresses.front();
    const bool bare_ipv6 = host.find(':') != host.npos;
    try {
        return Node::parse(
            fmt::format("{}@{}:{}", entry.aet, bare_ipv6 ? "[" + host + "]" : host, entry.port));
    } catch (const Error& error) {
        file.fail(entry, {}, error.reason());
    }
}

} // namespace

Node resolve_node(std::string_view text, const std::optional<std::filesystem::path>& nodes_file)
{
    if (!nodes_file || text.find('@') != text.npos) {
        return Node::parse(text);
    }
    const auto file = NodeFile::read(*nodes_file);
    for (const auto& entry : file.entries()) {
        if (std::find(entry.names.begin(), entry.names.end(), text) != entry.names.end()) {
            return node_from(file, entry);
        }
    }
    throw Error{
        ErrorKind::Usage, "no node of this name", text, fmt::format("see '{}'", nodes_file->string())};
}

std::optional<Node> listening_node(std::string_view aet, const std::filesystem::path& nodes_file)
{
    const auto file = NodeFile::read(nodes_file);
    for (const auto& entry : file.entries()) {
        const bool has_place = !entry.port.empty() && !entry.addresses.empty() &&
                               entry.addresses.front().find('/') == std::string::npos;
        if (entry.enabled && entry.aet == aet && has_place) {
            return node_from(file, entry);
        }
    }
    return std::nullopt;
}

std::vector<Node> enabled_nodes(const std::filesystem::path& nodes_file)
{
    const auto file = NodeFile::read(nodes_file);
    std::vector<Node> nodes;
    for (const auto& entry : file.entries()) {
        if (entry.enabled) {
            nodes.push_back(node_from(file, entry));
        }
    }
    return nodes;
}

} // namespace dcmpipe::net
