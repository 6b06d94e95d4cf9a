#pragma once

#include "dicom/layout.hpp"
#include "net/commitment_call.hpp"
#include "net/commitment_queue.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::net {

/// Reports on requests for storage commitment that other processes took and did not report: they were
/// killed, or the peer was away for longer than they wait. Each report is made anew, from what stands on the
/// disk when the peer is there. For one process, which does nothing else.
class CommitmentReporter {
public:
    struct Settings {
        std::filesystem::path root;
        dicom::Layout layout{"uid"};
        CommitmentCall::Settings call{};
        /// Where the peer with this AE title listens, asked before each try.
        std::function<std::optional<Node>(std::string_view)> node_of{};
        /// After each round of tries, in seconds; the last one again and again. The first is for processes of
        /// a receiver that was killed, which take a moment to let go of what they had.
        std::vector<double> pauses{1, 5, 20, 60, 180, 600};
    };

    /// Told of each request, once it was reported or given up.
    using OnDone =
        std::function<void(const std::string& calling_aet, const CommitmentReport&, bool delivered)>;

    CommitmentReporter(Settings settings, OnDone on_done);

    /// Tries until nothing waits, at growing intervals; what has waited for a day, and was tried as often as
    /// there are pauses, is given up: the clock alone does not decide, for it may be set. Returns as well
    /// when the process is asked to stop.
    void run();

private:
    std::size_t try_all();
    bool try_one(CommitmentQueue::Entry& entry);
    bool is_over(const CommitmentQueue::Entry& entry) const;
    CommitmentReport report_of(const CommitmentQueue::Entry& entry) const;

    Settings settings_;
    OnDone on_done_;
    CommitmentQueue queue_;
    std::size_t tries_ = 0;
    std::map<std::filesystem::path, std::size_t> failures_{};
    std::set<std::string> silent_{}; ///< peers that failed in this round
};

} // namespace dcmpipe::net
