#include "net/commitment_reporter.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "net/commitment_check.hpp"

#include <algorithm>
#include <chrono>

namespace dcmpipe::net {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_wait = 24h;

} // namespace

CommitmentReporter::CommitmentReporter(Settings settings, OnDone on_done)
    : settings_(std::move(settings)), on_done_(std::move(on_done)), queue_(settings_.root)
{
}

void CommitmentReporter::run()
{
    const auto& pauses = settings_.pauses;
    const auto pause = [&] { return pauses.at(std::min(tries_, pauses.size()) - 1); };
    do {
        ++tries_;
    } while ((try_all() > 0 || tries_ == 1) && stop::sleep(pause()));
}

/// How many still wait.
std::size_t CommitmentReporter::try_all()
{
    auto entries = queue_.take();
    // One that a peer chokes on does not stand in the way of the others.
    std::stable_sort(entries.begin(), entries.end(), [this](const auto& one, const auto& other) {
        return failures_[one.path()] < failures_[other.path()];
    });
    silent_.clear();
    std::size_t left = 0;
    for (auto& entry : entries) {
        if (stop::requested()) {
            return entries.size();
        }
        if (try_one(entry)) {
            continue;
        }
        ++failures_[entry.path()];
        if (is_over(entry)) {
            const auto report = report_of(entry);
            entry.remove();
            on_done_(entry.pending().calling_aet, report, false);
        } else {
            ++left;
        }
    }
    return left;
}

bool CommitmentReporter::try_one(CommitmentQueue::Entry& entry)
{
    const auto& aet = entry.pending().calling_aet;
    if (silent_.contains(aet)) {
        return false;
    }
    bool reported = false;
    try {
        if (const auto node = settings_.node_of(aet)) {
            settings_.call.connect(*node); // to look for the instances takes longer than to see who is away
            const auto report = report_of(entry);
            CommitmentCall call{settings_.call, *node};
            call.report(report);
            reported = true;
            entry.remove();
            on_done_(aet, report, true);
            call.release();
        }
    } catch (const Error& error) {
        log::info("{}", error.what());
    }
    if (!reported) {
        silent_.insert(aet);
    }
    return reported;
}

bool CommitmentReporter::is_over(const CommitmentQueue::Entry& entry) const
{
    const auto age = entry.age();
    return tries_ >= settings_.pauses.size() && (age >= longest_wait || age < 0s);
}

CommitmentReport CommitmentReporter::report_of(const CommitmentQueue::Entry& entry) const
{
    return check_commitment(settings_.root, settings_.layout, entry.pending().request);
}

} // namespace dcmpipe::net
