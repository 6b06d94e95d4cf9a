#include "retrieve/results.hpp"

#include "core/log.hpp"
#include "dicom/layout.hpp"
#include "dicom/tags.hpp"
#include "retrieve/info.hpp"

namespace dcmpipe::retrieve {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

std::int64_t number(std::uint64_t value)
{
    return static_cast<std::int64_t>(value);
}

} // namespace

Results::Results(const RunSettings& settings, const Listener& listener)
    : settings_(settings), listener_(listener), new_ids_(settings.place.root / "new_ids.json")
{
}

std::vector<Report>& Results::reports()
{
    return listener_.reports != nullptr ? *listener_.reports : no_reports_;
}

void Results::row_failed(const Row& row, const std::string& reason)
{
    log::error("row {}: {}", row.number, reason);
    for (auto& report : reports()) {
        report.add(row, to_string(Status::Failed), reason);
    }
    listener_.on_result(Record{fs::path{}, Status::Failed, reason}.set("row", number(row.number)));
}

void Results::row_empty(const Row& row)
{
    log::warning("row {}: nothing matches", row.number);
    for (auto& report : reports()) {
        report.add(row, "empty", "nothing matches");
    }
}

void Results::end(const RunTally& tally)
{
    for (auto& report : reports()) {
        report.add(tally);
    }
}

void Results::series_done(const Row& row, const FoundSeries& series, const Fetched& fetched)
{
    auto status = fetched.received > 0 ? Status::Ok : Status::Skipped;
    if (!fetched.complete()) {
        status = Status::Failed;
        // The record names the series: its UID is a value of the data set, and no log's business.
        log::error("row {}: a series: {}", row.number, fetched.reason);
    }
    const bool rejected = fetched.complete() && fetched.folders.empty() && fetched.rejected > 0;
    const auto word = rejected ? std::string_view{"rejected"} : to_string(status);
    for (auto& report : reports()) {
        report.add(row, series, word, fetched);
    }
    if (journal_) {
        journal_->add(row, series, word, fetched);
    }
    if (rejected) {
        log::info("row {}: a series is not what was asked, its instances say", row.number);
        return;
    }
    if (!fetched.folders.empty()) {
        keep_beside(row, series, *fetched.folders.begin());
    }
    auto folders = fetched.folders;
    if (folders.empty()) {
        folders.insert(fs::path{});
    }
    for (const auto& folder : folders) {
        listener_.on_result(Record{folder, status, fetched.reason}
                                .set("row", number(row.number))
                                .set("StudyInstanceUID", series.study_uid)
                                .set("SeriesInstanceUID", series.series_uid)
                                .set("expected", number(fetched.expected))
                                .set("present", number(fetched.present))
                                .set("received", number(fetched.received))
                                .set("rejected", number(fetched.rejected))
                                .set("unasked", number(fetched.unasked))
                                .set("missing", number(fetched.missing))
                                .set("verified", fetched.by_uid ? "uid" : "count"));
    }
}

void Results::keep_beside(const Row& row, const FoundSeries& series, const fs::path& folder)
{
    if (settings_.info) {
        write_info(series, settings_.info_root / folder.lexically_relative(settings_.place.root));
    }
    if (!row.new_id.empty()) {
        new_ids_.add(std::string{value_of(series.attributes, tags::PatientID)}, row.new_id);
    }
}

void Results::show(const Row& row, const FoundSeries& series)
{
    if (!series.unconfirmed.empty()) {
        log::warning(
            "row {}: the node gives no value for some of what was asked: it may list too much", row.number);
    }
    if (settings_.info) {
        const dicom::Layout layout{settings_.place.layout};
        const auto place =
            layout.place_of([&](dicom::Tag tag) { return std::string{value_of(series.attributes, tag)}; });
        write_info(series, settings_.info_root / place.file.parent_path());
    }
    listener_.on_found(row, series);
}

} // namespace dcmpipe::retrieve
