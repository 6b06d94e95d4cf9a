#pragma once

#include "core/fd.hpp"
#include "retrieve/fetcher.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace dcmpipe::retrieve {

/// A CSV of what became of each row and series, written as the run goes: the last lines of a run that was
/// killed are what it was at. Members throw Error{Output}.
class Report {
public:
    /// Replaces what stood there.
    explicit Report(const std::filesystem::path& path);

    /// A row as a whole: `status` is empty or failed.
    void add(const Row& row, std::string_view status, std::string_view reason);

    void add(const Row& row, const FoundSeries& series, std::string_view status, const Fetched& fetched);

private:
    void write(const std::string& line);

    std::filesystem::path path_;
    Fd fd_;
};

} // namespace dcmpipe::retrieve
