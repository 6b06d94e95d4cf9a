#pragma once

#include "core/fd.hpp"
#include "net/listener.hpp"
#include "send/commitment_message.hpp"
#include "send/line.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace dcmpipe::send {

/// The transactions of storage commitment whose reports are awaited, on whichever association they come. Any
/// thread may use it.
class Transactions {
public:
    void begin(const std::string& transaction_uid);

    /// Of a transaction that nobody began it takes no notice.
    void report(net::CommitmentReport report);

    /// The report, if it came or comes within `patience`; then the transaction is over.
    std::optional<net::CommitmentReport> wait(
        const std::string& transaction_uid, std::chrono::milliseconds patience);

    void end(const std::string& transaction_uid);

private:
    std::mutex mutex_;
    std::condition_variable reported_;
    std::map<std::string, std::optional<net::CommitmentReport>> open_;
};

/// Takes the reports of nodes that make an association of their own for them. Calls are served one by one.
class ReportListener {
public:
    /// Throws Error{Output} where it cannot listen.
    ReportListener(
        const std::string& address, std::uint16_t port, const CallSettings& settings, bool tls,
        const net::TlsFiles& files, Transactions& transactions);
    ~ReportListener();
    ReportListener(const ReportListener&) = delete;
    ReportListener& operator=(const ReportListener&) = delete;

    std::uint16_t port() const noexcept { return listener_.port(); }

private:
    void run();
    void serve(net::Listener::Connection connection);

    const CallSettings& settings_;
    std::unique_ptr<net::TlsContext> tls_;
    Transactions& transactions_;
    net::Listener listener_;
    Fd wake_;
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

} // namespace dcmpipe::send
