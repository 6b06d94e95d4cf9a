#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dcmpipe {

/// What became of one item.
enum class Status { Ok, Skipped, Failed, Quarantined };

std::string_view to_string(Status status);

/// One result: a path, what became of it, and what else is worth telling.
///
/// On stdout a record is its path alone or, under --json, one JSON object a line whose first keys are
/// `path`, `status` and, where there is one, `reason`. CamelCase keys are DICOM keywords, snake_case keys
/// are ours. Values of a de-identified item must already be pseudonymous.
class Record {
public:
    using Value = std::variant<std::string, std::int64_t, double, bool>;

    explicit Record(std::filesystem::path path, Status status = Status::Ok, std::string reason = {});

    const std::filesystem::path& path() const noexcept { return path_; }
    Status status() const noexcept { return status_; }
    const std::string& reason() const noexcept { return reason_; }

    void set_status(Status status) noexcept { status_ = status; }

    /// Adds a key; a key given twice keeps its last value.
    Record& set(std::string key, Value value) &;
    Record&& set(std::string key, Value value) &&;

    /// True for what the next stage can go on with: ok and skipped.
    bool usable() const noexcept { return status_ == Status::Ok || status_ == Status::Skipped; }

    /// The record as one line of JSON, without the newline. Bytes that are not UTF-8 become U+FFFD.
    std::string json() const;

    /// Reads what json() or another stage wrote; keys it does not know are kept.
    /// Throws Error{Input} where the line is no JSON object with a string `path`.
    static Record from_json(std::string_view line);

private:
    std::filesystem::path path_;
    Status status_;
    std::string reason_;
    std::vector<std::pair<std::string, Value>> more_;
};

} // namespace dcmpipe
