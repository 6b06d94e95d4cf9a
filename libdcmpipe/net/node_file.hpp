#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::net {

/// A node as its file writes it: texts that nobody has made sense of yet, empty where the file says nothing.
struct NodeEntry {
    std::vector<std::string> names; ///< the key it stands under, `name`, `id`
    std::string aet;                ///< valid, and never empty
    std::vector<std::string> addresses;
    std::string port;
    std::string permission;
    bool enabled = true;
    bool orthancs = false; ///< of Orthanc's configuration
    std::string pointer;   ///< where it stands
};

/// A JSON file of nodes, in every form we know. `nodes` is an object of nodes by name or an array of nodes; a
/// node is an object of `name`, `id`, `description`; `aet` (or `ae_title`); `address` (or `host`, `ip`,
/// `ip_address`), one or an array; `port`; `permission`; `enabled` (or `is_active`). `DicomModalities` is
/// Orthanc's: an object of arrays (AE title, host, port) or objects (`AET`, `Host`, `Port`).
class NodeFile {
public:
    /// Throws Error{Usage}, with line and column, for a file without nodes and for anything in `nodes` that
    /// it does not understand: neither a right nor a peer is given by mistake.
    static NodeFile read(const std::filesystem::path& path);

    NodeFile(NodeFile&&) noexcept;
    NodeFile& operator=(NodeFile&&) = delete;
    ~NodeFile();

    const std::vector<NodeEntry>& entries() const;

    /// Ends in Error{Usage} with the line and column of the entry's `key`, or of all of it where empty.
    [[noreturn]] void fail(const NodeEntry& entry, std::string_view key, std::string_view reason) const;

private:
    struct Impl;
    explicit NodeFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::net
