#include "send/transactions.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "dicom/transfer_syntax.hpp"

#include <algorithm>
#include <array>

#include <poll.h>
#include <sys/eventfd.h>

namespace dcmpipe::send {

namespace {

using namespace std::chrono_literals;

/// Who calls to report has its report at hand.
constexpr net::Patience impatience{.association = 10s, .idle = 5s, .message = 10s, .in_all = 60s};

/// For reports alone.
std::string choose_syntax(const net::ProposedContext& offer)
{
    using namespace dicom::transfer_syntax;
    const auto& offered = offer.transfer_syntaxes;
    for (const auto syntax : {ExplicitVRLittleEndian, ImplicitVRLittleEndian}) {
        if (offer.abstract_syntax == net::CommitmentClass &&
            std::find(offered.begin(), offered.end(), syntax) != offered.end()) {
            return std::string{syntax};
        }
    }
    return {};
}

} // namespace

void Transactions::begin(const std::string& transaction_uid)
{
    const std::lock_guard lock{mutex_};
    open_.try_emplace(transaction_uid);
}

void Transactions::report(net::CommitmentReport report)
{
    const std::lock_guard lock{mutex_};
    if (const auto found = open_.find(report.transaction_uid); found != open_.end()) {
        found->second = std::move(report);
        reported_.notify_all();
    }
}

std::optional<net::CommitmentReport> Transactions::wait(
    const std::string& transaction_uid, std::chrono::milliseconds patience)
{
    std::unique_lock lock{mutex_};
    const auto is_there = [&] { return open_.at(transaction_uid).has_value(); };
    if (!reported_.wait_for(lock, patience, is_there)) {
        return std::nullopt;
    }
    auto report = std::move(open_.at(transaction_uid));
    open_.erase(transaction_uid);
    return report;
}

void Transactions::end(const std::string& transaction_uid)
{
    const std::lock_guard lock{mutex_};
    open_.erase(transaction_uid);
}

ReportListener::ReportListener(
    const std::string& address, std::uint16_t port, const CallSettings& settings, bool tls,
    const net::TlsFiles& files, Transactions& transactions)
    : settings_(settings),
      tls_(tls ? std::make_unique<net::TlsContext>(net::TlsContext::Side::Acceptor, files) : nullptr),
      transactions_(transactions), listener_(address, port), wake_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this] { run(); })
{
    log::info("listening for reports of storage commitment on {}", listener_.endpoint());
}

ReportListener::~ReportListener()
{
    ending_ = true;
    ::eventfd_write(wake_.get(), 1);
    thread_.join();
}

void ReportListener::run()
{
    std::array<pollfd, 2> polled{{{listener_.fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    while (polled[1].revents == 0) {
        polled[0].revents = 0;
        if (::poll(polled.data(), polled.size(), -1) <= 0 || polled[0].revents == 0) {
            continue;
        }
        try {
            if (auto connection = listener_.accept()) {
                serve(std::move(*connection));
            }
        } catch (const Error& error) {
            log::info("{}", error.what());
        }
    }
}

void ReportListener::serve(net::Listener::Connection connection)
{
    std::unique_ptr<net::Transport> transport =
        std::make_unique<net::TcpTransport>(std::move(connection.socket), connection.peer);
    if (tls_) {
        transport = tls_->accept(std::move(transport), net::Clock::now() + impatience.association);
    }
    bool reported = false;
    auto association = net::Association::accept(
        std::move(transport), {.max_pdu = settings_.max_pdu,
                               .patience = impatience,
                               .choose = choose_syntax,
                               .peer_may_serve = true,
                               .stop_waiting = [&] { return ending_ && !reported; }});
    while (const auto message = association.receive()) {
        auto report = receive_report(association, *message);
        reported = true; // it may still release the association in order
        transactions_.report(std::move(report));
    }
}

} // namespace dcmpipe::send
