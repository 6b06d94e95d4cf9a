#pragma once

#include "core/error.hpp"
#include "deid/anonymizer.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dcmpipe::deid {

/// What a run did, in numbers and reasons. It holds no identity: no path, no value. One thread at a time.
class Report {
public:
    void written(const ActionCounts& counts);
    void skipped() { ++skipped_; }
    void left_out() { ++left_out_; }
    /// An input that has no output; its path goes into the list of what was kept back, not into the report.
    void without_output(const std::filesystem::path& input, const Error& error);

    /// As JSON: program, edition, profile with its digest and options, key id, counts an action, reasons.
    std::string json(const Profile& profile, std::string_view key_id) const;

    /// What has no output, a line of JSON each: path, status, reason; empty where everything has one.
    std::string kept_back() const;

private:
    std::uint64_t written_ = 0;
    std::uint64_t skipped_ = 0;
    std::uint64_t left_out_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t quarantined_ = 0;
    ActionCounts actions_{};
    std::map<std::string, std::uint64_t> reasons_;
    std::vector<std::string> kept_back_;
};

} // namespace dcmpipe::deid
