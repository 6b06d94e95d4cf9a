#pragma once

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/record.hpp"
#include "filter/destination.hpp"
#include "filter/rules.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace dcmpipe::filter {

struct BatchOptions {
    std::optional<Destination::Settings> kept;     ///< none: what is kept is named where it stands
    std::optional<Destination::Settings> rejected; ///< where the others are copied to
    std::optional<std::filesystem::path> report;   ///< a JSON line for each of the others
    bool list_rejected = false;                    ///< records name the others instead of what is kept
    bool dry_run = false;
};

/// What a batch tells its caller.
struct BatchEnds {
    std::function<void(const Record&)> emit;
    std::function<void(const std::filesystem::path&, const Error&)> fail;
    std::function<void(std::uint64_t items, std::uint64_t bytes)> progress;
};

/// Judges instances, one input after the other. Not for sharing between threads.
class Batch {
public:
    /// Borrows the filter. Throws Error{Output} where the report cannot be written.
    Batch(const Filter& filter, BatchOptions options, BatchEnds ends);

    /// Judges a file, or the files below a folder, and tells of each; copies from a folder are told as study
    /// folders once all of it is through. Ends early where a stop is requested. An instance that cannot be
    /// read fails: it is never kept. Throws Error{Usage} where a result would stand inside the input.
    void take(const std::filesystem::path& input);

    /// Publishes the report and gives one sentence: `kept 120, rejected 14 (a scout: 14), ...`.
    std::string finish();

private:
    struct Study {
        std::string uid; ///< empty where the folder holds several
        std::int64_t written = 0;
        std::int64_t skipped = 0;
    };

    void check(const std::filesystem::path& input) const;
    void judge(const std::filesystem::path& input, const std::filesystem::path& file, bool of_folder);
    void keep(
        const std::filesystem::path& input, const std::filesystem::path& file,
        const dicom::Instance& instance, bool of_folder);
    void refuse(
        const std::filesystem::path& input, const std::filesystem::path& file,
        const dicom::Instance& instance, const Verdict& verdict);
    void emit(Record record) const;
    void report(const Record& record);

    const Filter& filter_;
    BatchOptions options_;
    BatchEnds ends_;
    std::optional<Destination> kept_;
    std::optional<Destination> rejected_;
    std::optional<OutputFile> report_;
    dicom::Tag last_;
    std::map<std::filesystem::path, Study> studies_; ///< of the input that is going through
    std::uint64_t count_kept_ = 0;
    std::uint64_t count_failed_ = 0;
    std::map<std::pair<Fate, std::string>, std::uint64_t> reasons_;
};

} // namespace dcmpipe::filter
