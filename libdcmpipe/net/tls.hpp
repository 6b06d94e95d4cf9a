#pragma once

#include "net/node.hpp"
#include "net/transport.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace dcmpipe::net {

/// Where keys and certificates are, each a PEM file.
struct TlsFiles {
    std::optional<std::filesystem::path> certificate{}; ///< ours, and those that lead to its root
    std::optional<std::filesystem::path> key{};         ///< ours, not encrypted
    std::optional<std::filesystem::path> authorities{}; ///< who may vouch for the peer
};

/// TLS under an association, by the BCP 195 profile (PS3.15 §B.9, RFC 9325): 1.2 with ephemeral elliptic
/// curves and authenticated encryption, or 1.3; no renegotiation, compression or resumption. May be shared
/// between threads; what was made with it lives on without it.
class TlsContext {
public:
    enum class Side { Acceptor, Requestor };

    /// An acceptor needs certificate and key; with authorities it asks its peers for theirs as well, and lets
    /// in nobody without. A requestor without authorities trusts those of the machine. Throws Error{Usage}
    /// where a file cannot be read, or key and certificate are no pair.
    TlsContext(Side side, const TlsFiles& files);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// The peer's hello is answered. Throws Error{Peer}.
    std::unique_ptr<Transport> accept(std::unique_ptr<Transport> below, TimePoint until) const;

    /// We say hello; the peer's certificate must be for `host`, a name or an address. Throws Error{Peer}.
    std::unique_ptr<Transport> connect(
        std::unique_ptr<Transport> below, const std::string& host, TimePoint until) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Connects to a node; by TLS where there is a context for it. Throws Error{Peer}.
std::unique_ptr<Transport> connect(const Node& node, const TlsContext* tls, TimePoint until);

} // namespace dcmpipe::net
