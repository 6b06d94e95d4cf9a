#include "retrieve/report.hpp"

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"

#include <fcntl.h>

#include <nlohmann/json.hpp>

namespace dcmpipe::retrieve {

namespace {

bool is_json(const std::filesystem::path& path)
{
    return path.extension() == ".json" || path.extension() == ".jsonl";
}

std::string line_of(const nlohmann::ordered_json& object)
{
    return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

} // namespace

Report::Report(const std::filesystem::path& path)
    : path_(path), json_(is_json(path)),
      fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640))
{
    if (!fd_) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", path.string());
    }
    if (!json_) {
        write(csv_line(
            {"row", "status", "reason", "StudyInstanceUID", "SeriesInstanceUID", "expected", "present",
             "received", "rejected", "unasked", "missing", "verified"}));
    }
}

void Report::add(const Row& row, std::string_view status, std::string_view reason)
{
    if (json_) {
        return write(line_of({{"row", row.number}, {"status", status}, {"reason", reason}}));
    }
    write(csv_line(
        {std::to_string(row.number), std::string{status}, std::string{reason}, "", "", "", "", "", "", "", "",
         ""}));
}

void Report::add(const Row& row, const FoundSeries& series, std::string_view status, const Fetched& fetched)
{
    const std::string verified = fetched.by_uid ? "uid" : "count";
    if (json_) {
        return write(line_of(
            {{"row", row.number},
             {"status", status},
             {"reason", fetched.reason},
             {"StudyInstanceUID", series.study_uid},
             {"SeriesInstanceUID", series.series_uid},
             {"expected", fetched.expected},
             {"present", fetched.present},
             {"received", fetched.received},
             {"rejected", fetched.rejected},
             {"unasked", fetched.unasked},
             {"missing", fetched.missing},
             {"verified", verified}}));
    }
    write(csv_line(
        {std::to_string(row.number), std::string{status}, fetched.reason, series.study_uid, series.series_uid,
         std::to_string(fetched.expected), std::to_string(fetched.present), std::to_string(fetched.received),
         std::to_string(fetched.rejected), std::to_string(fetched.unasked), std::to_string(fetched.missing),
         verified}));
}

void Report::add(const RunTally& tally)
{
    if (json_) {
        write(line_of(
            {{"rows", tally.rows},
             {"left", tally.left},
             {"empty", tally.empty},
             {"failed", tally.failed},
             {"series", tally.series},
             {"dropped", tally.dropped},
             {"unasked", tally.unasked}}));
    }
}

void Report::write(const std::string& line)
{
    write_all(fd_.get(), line, path_);
}

} // namespace dcmpipe::retrieve
