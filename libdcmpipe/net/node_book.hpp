#pragma once

#include "net/node.hpp"

#include <filesystem>
#include <optional>
#include <string_view>

namespace dcmpipe::net {

/// The node that `text` means: `AET@host:port`, or a name in the nodes file.
///
/// The file is JSON. `nodes` is an object of nodes by name, or an array of nodes with `name` or `id`; a node
/// has `aet` (or `ae_title`), `address` (or `host`, `ip`, `ip_address`) and `port`, and may be disabled by
/// `enabled` (or `is_active`). Orthanc's configuration is read as well: `DicomModalities`. Throws
/// Error{Usage}.
Node resolve_node(std::string_view text, const std::optional<std::filesystem::path>& nodes_file);

} // namespace dcmpipe::net
