#pragma once

#include "net/network.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::net {

/// What a peer may do besides asking whether we are there (C-ECHO).
struct Rights {
    bool read = false;  ///< C-FIND, C-GET, C-MOVE
    bool write = false; ///< C-STORE
};

/// A peer that a nodes file names.
struct KnownNode {
    std::string aet;
    std::vector<Network> networks; ///< where it calls from; empty: from anywhere
    Rights rights;
};

/// The nodes of a file (see NodeFile) that may call: `address` is an address, a block, a host name or an
/// array of them; `permission` one of `read`, `write`, `read_write` (the default). Nodes that are not enabled
/// are left out. Asks the name server for host names. Throws Error{Usage}, with line and column, for anything
/// that it does not understand: a right is not given by mistake.
std::vector<KnownNode> read_nodes_file(const std::filesystem::path& path);

/// Who may call. Empty parts restrict nobody.
struct AccessList {
    std::vector<Network> networks{};
    std::vector<std::string> aets{};
    std::optional<std::vector<KnownNode>> nodes{}; ///< present and empty: nobody

    /// Whether anybody may call from there.
    bool admits(const IpAddress& address) const;

    /// Nothing where this AE title may not call from this address.
    std::optional<Rights> rights_of(std::string_view calling_aet, const IpAddress& address) const;
};

} // namespace dcmpipe::net
