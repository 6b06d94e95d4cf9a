#pragma once

#include "retrieve/fetcher.hpp"
#include "retrieve/profile.hpp"
#include "retrieve/runner.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What becomes of the series that a run finds.
namespace dcmpipe::retrieve {

struct SaveSettings {
    ConnectionSettings connection{};
    StorePlace place{};
    std::filesystem::path journal{};
    std::vector<Operation> operations{}; ///< in the order in which they are tried; at least one, see adopt()
    MoveSettings move{};
    Fetcher::Settings fetch{};
};

/// Has a run keep to the ways of its node.
void adopt(const Profile& profile, RunSettings& run);
/// So has a retrieval. What is not known comes by C-MOVE where a port is set for it, else by C-GET. Throws
/// Error{Usage} where C-MOVE has no port.
void adopt(const Profile& profile, SaveSettings& save);

/// They are retrieved below a folder. A worker has been reached before: it goes on calling.
Purpose to_save(SaveSettings settings);

/// The node sends them to a third one.
Purpose to_forward(
    ConnectionSettings connection, std::optional<std::filesystem::path> journal, std::string destination);

} // namespace dcmpipe::retrieve
