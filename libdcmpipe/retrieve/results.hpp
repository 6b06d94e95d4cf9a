#pragma once

#include "retrieve/journal.hpp"
#include "retrieve/new_ids.hpp"
#include "retrieve/runner.hpp"

#include <string>
#include <vector>

namespace dcmpipe::retrieve {

/// Where a run tells what became of its rows and series: records, reports, the journal, info files, codes.
/// Members throw Error{Output}.
class Results {
public:
    /// Both must outlive it.
    Results(const RunSettings& settings, const Listener& listener);

    void note_in(Journal& journal) { journal_ = &journal; }

    void show(const Row& row, const FoundSeries& series);
    void row_failed(const Row& row, const std::string& reason);
    void row_empty(const Row& row);
    void series_done(const Row& row, const FoundSeries& series, const Fetched& fetched);
    void end(const RunTally& tally);

private:
    void keep_beside(const Row& row, const FoundSeries& series, const std::filesystem::path& folder);
    std::vector<Report>& reports();

    const RunSettings& settings_;
    const Listener& listener_;
    Journal* journal_ = nullptr;
    NewIds new_ids_;
    std::vector<Report> no_reports_{};
};

} // namespace dcmpipe::retrieve
