#pragma once

#include "core/record.hpp"
#include "retrieve/cohort.hpp"
#include "retrieve/crew.hpp"
#include "retrieve/fetcher.hpp"
#include "retrieve/finder.hpp"
#include "retrieve/pace.hpp"
#include "retrieve/report.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::retrieve {

/// Which rows of a cohort are asked for, by what the journal knows of them.
enum class Rows {
    All,     ///< each: what is there already is not retrieved again
    NotDone, ///< not those that were done, or had no match
    Failed,  ///< those that failed
};

struct RunSettings {
    ConnectionSettings connection;
    FindSettings find{};
    Rows rows = Rows::All;
    Level level = Level::Series;       ///< of what is listed
    bool info = false;                 ///< write info files
    std::filesystem::path info_root{}; ///< of info files
    StorePlace place{};                ///< of instances, and for the layout of info files
    std::optional<std::filesystem::path> journal{};
    unsigned parallel = 1;       ///< associations at once
    std::uint64_t most = 0;      ///< series that are retrieved or listed in this run; 0: all
    unsigned batch_size = 0;     ///< a pause after so many series were retrieved; 0: none
    double batch_wait = 0;       ///< seconds
    std::vector<Window> windows; ///< when series are asked for; at any time where there are none
};

/// What a run tells as it goes.
struct Listener {
    std::function<void(const Row&, const FoundSeries&)> on_found{}; ///< where nothing is retrieved
    std::function<void(const Record&)> on_result{};                 ///< of a series or a row
    OnStored on_stored{};
    std::vector<Report>* reports = nullptr; ///< not owned; none where null
};

/// Throws Error{Usage} where a value of a row has no place in the character set.
void check_character_set(const std::vector<Row>& rows, std::string_view character_set);

/// What becomes of the series that are found: `make` makes workers for them, or, where it is empty, they are
/// listed.
struct Purpose {
    std::string job{}; ///< its name in the journal
    MakeWorker make{};
};

/// Asks for one row after the other. What goes wrong with a row or
/// series is a result. Throws Error{Peer} where the node is not reached (any more), Error{Usage} where it
/// does not offer what is needed, Error{Cancelled} once a signal asked to stop and what was begun is done.
RunTally run(
    const std::vector<Row>& rows, const RunSettings& settings, const Purpose& purpose,
    const Listener& listener);

} // namespace dcmpipe::retrieve
