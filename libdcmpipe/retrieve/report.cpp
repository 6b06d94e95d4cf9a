#include "retrieve/report.hpp"

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"

#include <fcntl.h>

namespace dcmpipe::retrieve {

Report::Report(const std::filesystem::path& path)
    : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640))
{
    if (!fd_) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", path.string());
    }
    write(csv_line(
        {"row", "status", "reason", "StudyInstanceUID", "SeriesInstanceUID", "expected", "present",
         "received", "rejected", "missing", "verified"}));
}

void Report::add(const Row& row, std::string_view status, std::string_view reason)
{
    write(csv_line(
        {std::to_string(row.number), std::string{status}, std::string{reason}, "", "", "", "", "", "", "",
         ""}));
}

void Report::add(const Row& row, const FoundSeries& series, std::string_view status, const Fetched& fetched)
{
    write(csv_line(
        {std::to_string(row.number), std::string{status}, fetched.reason, series.study_uid, series.series_uid,
         std::to_string(fetched.expected), std::to_string(fetched.present), std::to_string(fetched.received),
         std::to_string(fetched.rejected), std::to_string(fetched.missing),
         fetched.by_uid ? "uid" : "count"}));
}

void Report::write(const std::string& line)
{
    write_all(fd_.get(), line, path_);
}

} // namespace dcmpipe::retrieve
