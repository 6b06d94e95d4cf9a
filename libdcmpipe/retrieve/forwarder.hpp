#pragma once

#include "retrieve/connection.hpp"
#include "retrieve/fetcher.hpp"
#include "retrieve/finder.hpp"

#include <optional>
#include <string>

namespace dcmpipe::retrieve {

/// Has the node send series to a third one, by C-MOVE. Nobody here sees them: the verdict comes from the
/// node's own count of what it sent, which must reach what it listed. Not for sharing between threads.
class Forwarder {
public:
    Forwarder(Connection& connection, std::string destination)
        : connection_(connection), destination_(std::move(destination))
    {
    }

    /// `received` counts what the node says it sent. Throws as Fetcher::fetch().
    Fetched forward(const FoundSeries& series);

    void release();

private:
    net::QueryOutcome ask(const Request& request);

    Connection& connection_;
    std::string destination_;
    std::optional<net::Association> association_{};
};

} // namespace dcmpipe::retrieve
