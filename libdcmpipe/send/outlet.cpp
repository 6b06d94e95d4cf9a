#include "send/outlet.hpp"

#include "core/log.hpp"
#include "core/stop.hpp"
#include "send/verdict.hpp"

#include <algorithm>
#include <random>

#include <fmt/format.h>

namespace dcmpipe::send {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_waiting = 1000;
/// Then an association is released: peers abort those that are silent.
constexpr auto longest_silence = 1000ms;
constexpr unsigned most_misses = 3;

/// Counts an association while it is at work.
class AtWork {
public:
    explicit AtWork(std::atomic<unsigned>& count) : count_(count) { ++count_; }
    ~AtWork() { --count_; }
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;

private:
    std::atomic<unsigned>& count_;
};

} // namespace

Outlet::Outlet(
    std::size_t number, net::Node node, const OutletSettings& settings, Journal& journal, Throttle& throttle,
    Transactions& transactions, Ends ends)
    : number_(number), node_(std::move(node)), name_(node_.text()), settings_(settings), journal_(journal),
      throttle_(throttle), ends_(std::move(ends)), queue_(most_waiting)
{
    if (settings_.commit) {
        committer_ = std::make_unique<Committer>(
            node_, settings_.call, *settings_.commit, transactions,
            [this](unsigned retry) { return may_try_again(retry); },
            [this](const Accepted& accepted, Committer::Outcome outcome, const std::string& reason) {
                commit_settled(accepted, outcome, reason);
            });
    }
    for (unsigned i = 0; i < settings_.associations; ++i) {
        threads_.emplace_back([this, i] { run(i == 0); });
    }
}

Outlet::~Outlet()
{
    abandon();
    finish();
}

void Outlet::abandon()
{
    abandoned_ = true;
    queue_.abandon();
}

void Outlet::finish()
{
    queue_.close();
    if (!threads_.empty()) {
        threads_.front().join();
        auto none = Contact::None;
        contact_.compare_exchange_strong(none, Contact::Over);
        contact_.notify_all();
        threads_.erase(threads_.begin());
    }
    for (auto& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    if (committer_) {
        committer_->finish();
    }
}

std::optional<Error> Outlet::given_up() const
{
    const std::lock_guard lock{mutex_};
    return given_up_;
}

void Outlet::submit(const ShipmentPtr& shipment)
{
    std::optional<Journal::Entry> known;
    try {
        known = recall(journal_, name_, shipment->item);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Input) {
            throw;
        }
        return fail(shipment, error.reason());
    }
    if (!known || (known->stage == Stage::Refused && settings_.retry_failed)) {
        queue_.put(shipment);
    } else if (known->stage == Stage::Refused) {
        fail(
            shipment,
            fmt::format("refused before with {} (--retry-failed sends it again)", describe(known->status)),
            known->status);
    } else {
        accepted(
            {.shipment = shipment,
             .delivery =
                 {.outcome = Delivery::Outcome::SentBefore,
                  .status = known->status,
                  .warned = known->status != 0,
                  .committed = known->stage == Stage::Committed},
             .sha256 = known->sha256});
    }
}

/// Where storage commitment is asked for, it is still to come.
void Outlet::accepted(Accepted instance)
{
    if (committer_ && !instance.delivery.committed) {
        committer_->add(std::move(instance));
    } else {
        ends_.settled(instance.shipment, number_, instance.delivery);
    }
}

/// The first association goes ahead: where it does not reach the node, the others need not try.
void Outlet::run(bool first)
try {
    if (!first) {
        contact_.wait(Contact::None);
    }
    work();
} catch (...) {
    ends_.failed(std::current_exception());
}

void Outlet::work()
{
    Line line{node_, settings_.call};
    for (auto step = Step::Settled; step != Step::Retire;) {
        const auto taken = queue_.take(line.open(), longest_silence);
        if (taken.over) {
            break;
        }
        if (taken.shipment) {
            step = deliver(line, taken.shipment);
            if (step == Step::Retire) {
                queue_.put_back(taken.shipment);
            } else {
                queue_.done();
            }
            continue;
        }
        line.hang_up();
        if (committer_) {
            committer_->flush();
        }
    }
    line.hang_up();
}

Outlet::Step Outlet::deliver(Line& line, const ShipmentPtr& shipment)
{
    for (unsigned retry = 0; retry == 0 || pause(retry); ++retry) {
        if (const auto error = given_up()) {
            fail(shipment, error->reason());
            return Step::Settled;
        }
        const auto step = attempt(line, shipment, retry == settings_.retries);
        if (step != Step::Again) {
            return step;
        }
    }
    return Step::Settled; // or left to the next run
}

Outlet::Step Outlet::attempt(Line& line, const ShipmentPtr& shipment, bool last)
{
    const auto& item = shipment->item;
    bool connected = false;
    try {
        DataSetFile data_set{item};
        line.open_for(pair_of(item), queue_);
        connected = true;
        contact_ = Contact::Made;
        contact_.notify_all();
        if (const auto refusal = line.refusal_of(pair_of(item)); !refusal.empty()) {
            fail(shipment, refusal);
            return Step::Settled;
        }
        const AtWork at_work{storing_};
        const auto status = line.store(item, data_set, throttle_);
        return answered(shipment, status, data_set.sha256(), last);
    } catch (const Error& error) {
        line.drop();
        if (error.kind() == ErrorKind::Input) {
            fail(shipment, error.reason());
            return Step::Settled;
        }
        if (error.kind() != ErrorKind::Peer) {
            throw;
        }
        if (!connected && storing_ > 0) { // the node takes no more associations; others do the work
            log::info("{}; going on with fewer associations", error.what());
            return Step::Retire;
        }
        return lost(shipment, error, last);
    }
}

Outlet::Step Outlet::answered(
    const ShipmentPtr& shipment, std::uint16_t status, const std::string& sha256, bool last)
{
    switch (verdict_of(status)) {
    case Verdict::Stored:
    case Verdict::StoredWithWarning:
        misses_ = 0;
        note(shipment->item, Stage::Accepted, status, sha256);
        accepted(
            {.shipment = shipment,
             .delivery = {.outcome = Delivery::Outcome::Sent, .status = status, .warned = status != 0},
             .sha256 = sha256});
        return Step::Settled;
    case Verdict::Refused:
        misses_ = 0;
        note(shipment->item, Stage::Refused, status, sha256);
        fail(shipment, fmt::format("the node refused it with {}", describe(status)), status);
        return Step::Settled;
    case Verdict::TryAgain:
        break;
    }
    const Error busy{
        ErrorKind::Peer, "cannot send to", name_, fmt::format("it answered {}", describe(status))};
    if (last) {
        miss(busy);
        fail(shipment, busy.reason(), status);
        return Step::Settled;
    }
    log::warning("{}; trying again", busy.what());
    return Step::Again;
}

/// A node that was never reached is not called twice: that is for another time.
Outlet::Step Outlet::lost(const ShipmentPtr& shipment, const Error& error, bool last)
{
    const bool reached = contact_ == Contact::Made;
    if (reached && !last) {
        log::warning("{}; trying again", error.what());
        return Step::Again;
    }
    if (!reached) {
        misses_ = most_misses;
    }
    miss(error);
    fail(shipment, error.reason());
    return Step::Settled;
}

/// One instance that no try brings there may be that instance's fault. Several in a row are the node's.
void Outlet::miss(const Error& error)
{
    if (++misses_ >= most_misses) {
        const std::lock_guard lock{mutex_};
        if (!given_up_) {
            log::error("{}", error.what());
            given_up_.emplace(error);
        }
    }
}

void Outlet::commit_settled(const Accepted& accepted, Committer::Outcome outcome, const std::string& reason)
try {
    const auto& item = accepted.shipment->item;
    auto delivery = accepted.delivery;
    if (outcome == Committer::Outcome::Committed) {
        note(item, Stage::Committed, delivery.status, accepted.sha256);
        delivery.committed = true;
        return ends_.settled(accepted.shipment, number_, delivery);
    }
    if (outcome == Committer::Outcome::Missing) {
        journal_.forget(name_, item.instance_uid, accepted.sha256);
    }
    fail(accepted.shipment, reason, delivery.status);
} catch (...) {
    ends_.failed(std::current_exception());
}

void Outlet::note(const Item& item, Stage stage, std::uint16_t status, const std::string& sha256)
{
    journal_.put(
        name_, item.instance_uid,
        {.sha256 = sha256,
         .stage = stage,
         .status = status,
         .path = std::filesystem::absolute(item.path),
         .stamp = item.stamp});
}

void Outlet::fail(const ShipmentPtr& shipment, std::string reason, std::uint16_t status)
{
    ends_.settled(
        shipment, number_,
        {.outcome = Delivery::Outcome::Failed, .status = status, .reason = std::move(reason)});
}

/// False where nothing is to go on.
bool Outlet::pause(unsigned retry) const
{
    static thread_local std::minstd_rand chance{std::random_device{}()};
    const double between_0_and_1 = std::uniform_real_distribution<>{0, 1}(chance);
    constexpr double between_looks = 0.2; // a signal wakes no thread that sleeps
    for (double left = settings_.backoff.delay(retry, between_0_and_1, 0); left > 0; left -= between_looks) {
        if (abandoned_ || !stop::sleep(std::min(left, between_looks))) {
            return false;
        }
    }
    return true;
}

} // namespace dcmpipe::send
