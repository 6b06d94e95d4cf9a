#pragma once

#include "retrieve/asker.hpp"
#include "retrieve/cohort.hpp"
#include "retrieve/found.hpp"
#include "retrieve/period.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace dcmpipe::retrieve {

/// What a query met besides what it found.
struct FindTally {
    std::uint64_t found = 0;
    std::uint64_t dropped = 0; ///< answers that do not fit what was asked
    std::uint64_t splits = 0;  ///< queries that were asked again in halves
    /// A query has a suspiciously round number of answers, and they cannot be asked for in parts.
    bool perhaps_cut = false;
};

/// Asks a node what answers a row: by study, then by series below each study, then by image where that is
/// needed (PS3.4 §C.4.1.2, hierarchical), for nodes ignore keys of higher levels. Every answer is compared
/// with the row again. A query whose answers the node cuts off, as a failure or a round number of them shows,
/// is asked again by halves of its days. Answers wait on the disk. Not for sharing between threads.
class Finder {
public:
    Finder(Connection& connection, const FindSettings& settings)
        : asker_(connection, settings), most_answers_(settings.most_answers)
    {
    }

    /// False where no more are wanted.
    using OnSeries = std::function<bool(FoundSeries)>;
    using OnStudy = std::function<bool(const Attributes&)>;

    /// Throws Error{Peer} where the node cannot be reached; Error{Input} where it refuses the query, with
    /// the status, or cuts the answers off: another row may fare better. Error{Cancelled} once a signal asked
    /// to stop, after the node was told.
    FindTally find(const Row& row, bool with_instances, const OnSeries& on_series);

    /// The studies alone.
    FindTally find_studies(const Row& row, const OnStudy& on_study);

    /// Ends the association, if there is one.
    void release() { asker_.release(); }

private:
    struct Gathering; ///< the answers of one row, at the level where it begins

    void gather(Gathering& gathering, const std::optional<Period>& part);
    bool is_cut(const net::QueryOutcome& outcome) const;
    std::vector<FoundSeries> series(const Row& row, const Attributes& study, FindTally& tally);
    bool complete(const Row& row, FoundSeries& found, bool with_instances, FindTally& tally);
    void add_instances(const Row& row, FoundSeries& series, FindTally& tally);
    void ask_for_all(const Query& query, const Asker::OnAnswer& on_answer);

    Asker asker_;
    std::uint64_t most_answers_; ///< as FindSettings has it, or learned
};

} // namespace dcmpipe::retrieve
