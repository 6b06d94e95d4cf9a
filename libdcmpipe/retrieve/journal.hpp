#pragma once

#include "net/instance_store.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace dcmpipe::retrieve {

/// What was retrieved below a folder, so that the same query asks only for what is missing: UIDs, paths and
/// sizes, in `.dpipe-query.db` of that folder. It is a cache: without it, what is there is asked for again
/// and found to be the same. Several processes may share it. Members throw Error{Output}.
class Journal {
public:
    explicit Journal(std::filesystem::path root);
    Journal(Journal&&) noexcept;
    ~Journal();

    /// For an instance that stands on the disk, whole.
    void add(const net::StoredInstance& instance);

    /// Where an instance stands, if it was added and its file still has its size.
    std::optional<std::filesystem::path> find(
        std::string_view study_uid, std::string_view series_uid, std::string_view instance_uid);

    /// The instances of a series that stand there.
    std::vector<std::filesystem::path> of_series(std::string_view study_uid, std::string_view series_uid);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::retrieve
