#pragma once

#include "core/record.hpp"
#include "retrieve/fetcher.hpp"
#include "retrieve/report.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dcmpipe::retrieve {

struct RunSettings {
    ConnectionSettings connection;
    std::string character_set = "ISO_IR 192"; ///< of query values beyond ASCII
    bool info = false;                        ///< write info files
    StorePlace place{};                       ///< of instances, and of info files
    unsigned batch_size = 0;                  ///< a pause after so many series were retrieved; 0: none
    double batch_wait = 0;                    ///< seconds
};

/// What a run tells as it goes.
struct Listener {
    std::function<void(const Row&, const FoundSeries&)> on_found{}; ///< where nothing is retrieved
    std::function<void(const Record&)> on_result{};                 ///< of a series or a row
    std::function<void(const net::StoredInstance&)> on_stored{};
    Report* report = nullptr; ///< not owned; none where null
};

/// What became of the rows.
struct RunTally {
    std::uint64_t rows = 0;
    std::uint64_t empty = 0;  ///< rows that nothing answers
    std::uint64_t failed = 0; ///< rows that could not be asked for, or not in full
    std::uint64_t series = 0;
    std::uint64_t dropped = 0; ///< answers of the node that do not fit what was asked
};

/// Throws Error{Usage} where a value of a row has no place in the character set.
void check_character_set(const std::vector<Row>& rows, std::string_view character_set);

/// What becomes of the series that are found: with a `method` they are retrieved, with a `destination` (an AE
/// title) the node sends them there, else they are listed.
struct Purpose {
    std::unique_ptr<Method> method{};
    std::string destination{};
};

/// Asks for one row after the other. What goes wrong with a row or
/// series is a result. Throws Error{Peer} where the node is not reached (any more), Error{Usage} where it
/// does not offer what is needed, Error{Cancelled} once a signal asked to stop.
RunTally run(
    const std::vector<Row>& rows, const RunSettings& settings, Connection& connection, Purpose purpose,
    const Listener& listener);

} // namespace dcmpipe::retrieve
