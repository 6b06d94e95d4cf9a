#pragma once

#include "net/instance_store.hpp"
#include "retrieve/cohort.hpp"
#include "retrieve/worker.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::retrieve {

/// What became of a row when it was last asked for.
enum class RowState { New, Begun, Done, Failed };

/// What was done, so that the same words go on where they ended: job, rows, series, instances, in an SQLite
/// file. A job is a node and what is done with its series; rows are known by what they ask for, so that a
/// cohort may grow or be sorted. Criteria stand in it as digests; UIDs and paths as they are. It is a cache:
/// without it, what is there is asked for again and found to be the same. Several processes may share it.
/// Members throw Error{Output}.
class Journal {
public:
    /// `root` is the folder that paths are below.
    Journal(std::filesystem::path file, std::filesystem::path root, std::string_view job);
    Journal(Journal&&) noexcept;
    ~Journal();

    RowState state_of(const Row& row);
    void begin(const Row& row);
    void end(const Row& row, RowState state, std::string_view reason);

    void add(const Row& row, const FoundSeries& series, std::string_view status, const Fetched& fetched);

    /// For an instance that stands on the disk, whole.
    void add(const net::StoredInstance& instance);

    /// Where an instance stands, if it was added and its file still has its size.
    std::optional<std::filesystem::path> find(
        std::string_view study_uid, std::string_view series_uid, std::string_view instance_uid);

    /// The instances of a series that stand there.
    std::vector<std::filesystem::path> of_series(std::string_view study_uid, std::string_view series_uid);

    using Uids = std::set<std::string, std::less<>>;

    /// For instances of a series that this job had sent to another node, as both said.
    void add_sent(const FoundSeries& series, const Uids& instances);
    Uids sent(const FoundSeries& series);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::retrieve
