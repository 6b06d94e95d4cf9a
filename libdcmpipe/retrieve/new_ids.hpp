#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace dcmpipe::retrieve {

/// The codes that a cohort gives its patients in a column `new_ids`, as `new_ids.json` beside what was
/// retrieved, for `dpipe-anon --new-ids`. Members throw Error{Output}, Error{Usage} where the file that
/// stands there cannot be read.
class NewIds {
public:
    explicit NewIds(std::filesystem::path path) : path_(std::move(path)) {}

    /// Adds a code to what stands in the file.
    void add(const std::string& patient_id, const std::string& code);

private:
    std::filesystem::path path_;
    std::map<std::string, std::string> codes_{}; ///< that this run has written
};

} // namespace dcmpipe::retrieve
