#pragma once

#include "net/node.hpp"

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace dcmpipe::net {

/// The node that `text` means: `AET@host:port`, or a name in the nodes file (see NodeFile). One that the
/// file disables is refused. Throws Error{Usage}.
Node resolve_node(std::string_view text, const std::optional<std::filesystem::path>& nodes_file);

/// Where the enabled node with this AE title listens; nothing where the file has none, or no host and port of
/// it. Throws Error{Usage}.
std::optional<Node> listening_node(std::string_view aet, const std::filesystem::path& nodes_file);

/// Every node of the file that is not disabled, in its order. Throws Error{Usage}.
std::vector<Node> enabled_nodes(const std::filesystem::path& nodes_file);

} // namespace dcmpipe::net
