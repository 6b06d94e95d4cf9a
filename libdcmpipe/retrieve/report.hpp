#pragma once

#include "core/fd.hpp"
#include "retrieve/found.hpp"
#include "retrieve/worker.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace dcmpipe::retrieve {

/// What became of the rows.
struct RunTally {
    std::uint64_t rows = 0;   ///< that were asked for
    std::uint64_t left = 0;   ///< that were not, for the journal knows enough of them
    std::uint64_t empty = 0;  ///< rows that nothing answers
    std::uint64_t failed = 0; ///< rows that could not be asked for, or not in full
    std::uint64_t series = 0;
    std::uint64_t dropped = 0; ///< answers of the node that do not fit what was asked
    std::uint64_t unasked = 0; ///< instances that the node sent and nobody asked for
};

/// What became of each row and series, written as the run goes: the last lines of a run that was killed are
/// what it was at. CSV, or, where the name ends in `.json` or `.jsonl`, a JSON object a line. Members throw
/// Error{Output}.
class Report {
public:
    /// Replaces what stood there.
    explicit Report(const std::filesystem::path& path);

    /// A row as a whole: `status` is empty or failed.
    void add(const Row& row, std::string_view status, std::string_view reason);

    void add(const Row& row, const FoundSeries& series, std::string_view status, const Fetched& fetched);

    /// The last line of JSON: the run as a whole. A table has none.
    void add(const RunTally& tally);

private:
    void write(const std::string& line);

    std::filesystem::path path_;
    bool json_;
    Fd fd_;
};

} // namespace dcmpipe::retrieve
