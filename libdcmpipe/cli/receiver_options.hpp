#pragma once

#include "cli/words.hpp"
#include "net/receiver.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::cli {

/// The words for a receiver, and what they mean to it.
struct ReceiverOptions {
    std::filesystem::path out;
    std::string aet = "DICOMRCV";
    std::uint16_t port = 11112;
    std::string bind;
    std::string layout = "uid";
    net::Durability durability = net::Durability::Full;
    net::Duplicates duplicates = net::Duplicates::KeepIfIdentical;
    unsigned timeout = 60;
    std::optional<unsigned> acse_timeout;
    std::optional<unsigned> dimse_timeout;
    unsigned min_rate = 1024;
    unsigned max_time = 0;
    std::uint32_t max_pdu = net::default_max_pdu;
    std::optional<std::filesystem::path> nodes;
    std::vector<std::string> allow_aets;
    std::vector<net::Network> allow_from;
    std::optional<std::filesystem::path> users;
    bool check_called = false;
    std::vector<std::string> accept_sop;
    std::vector<std::string> accept_syntax;
    bool tls = false;
    net::TlsFiles tls_files;
    std::optional<std::filesystem::path> events;
    std::optional<std::filesystem::path> counters;
    net::Limits limits;
    Size max_memory{512ULL << 20U};
    Size max_object{4ULL << 30U};
    Size min_free{256ULL << 20U};
    std::uint64_t min_free_files = 1000;

    void declare(Words& words);

    /// Throws Error{Usage} for values that make no sense, or not together.
    void check() const;

    // These read the files that the words name; they throw Error{Usage}.

    net::Receiver::Settings settings() const;
    net::AccessList access() const;
    std::optional<net::Users> known_users() const;
    /// Null without --tls.
    std::shared_ptr<const net::TlsContext> tls_context(net::TlsContext::Side side) const;

private:
    void declare_access(Words& words);
    void declare_tls(Words& words);
    void declare_limits(Words& words);
    net::StoragePolicy policy() const;
    net::Patience patience() const;
};

} // namespace dcmpipe::cli
