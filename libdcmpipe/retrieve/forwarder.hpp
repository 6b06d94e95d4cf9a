#pragma once

#include "retrieve/connection.hpp"
#include "retrieve/fetcher.hpp"
#include "retrieve/journal.hpp"
#include "retrieve/worker.hpp"

#include <optional>
#include <string>

namespace dcmpipe::retrieve {

/// Has the node send series to a third one, by C-MOVE. Nobody here sees them: the verdict comes from the
/// node's own books of its sub-operations (PS3.4 §C.4.2.1.6), which must reach what it listed. What it names
/// as failed is asked for again, alone; where it names none, all that was asked for. Not for sharing between
/// threads.
class Forwarder : public Worker {
public:
    /// Without a journal nobody knows the next time what was sent.
    Forwarder(ConnectionSettings connection, std::optional<Journal> journal, std::string destination)
        : connection_(std::move(connection)), journal_(std::move(journal)),
          destination_(std::move(destination))
    {
    }

    /// `received` counts what the node says it sent.
    Fetched work(const FoundSeries& series, const OnStored& on_stored) override;
    void release() override;
    bool reached() const override { return connection_.reached(); }

private:
    class Account;

    std::string try_once(Account& account);
    net::QueryOutcome ask(const Request& request);

    Connection connection_;
    std::optional<Journal> journal_;
    std::string destination_;
    std::optional<net::Association> association_{};
};

} // namespace dcmpipe::retrieve
