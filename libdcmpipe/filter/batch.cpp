#include "filter/batch.hpp"

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::filter {

namespace fs = std::filesystem;

namespace {

void add_uids(Record& record, const dicom::Instance& instance)
{
    record.set("StudyInstanceUID", std::string{instance.study_uid()})
        .set("SeriesInstanceUID", std::string{instance.series_uid()})
        .set("SOPInstanceUID", std::string{instance.instance_uid()});
}

} // namespace

Batch::Batch(const Filter& filter, BatchOptions options, BatchEnds ends)
    : filter_(filter), options_(std::move(options)), ends_(std::move(ends)), last_(filter.last_tag())
{
    const auto begin = [&](std::optional<Destination>& destination, const auto& settings) {
        if (settings) {
            destination.emplace(*settings);
            last_ = std::max(last_, settings->layout ? settings->layout->last_tag() : dicom::Tag{});
        }
    };
    begin(kept_, options_.kept);
    begin(rejected_, options_.rejected);
    if (options_.report && !options_.dry_run) {
        report_.emplace(*options_.report);
    }
}

/// What was written there would be read again.
void Batch::check(const fs::path& input) const
{
    for (const auto* const settings : {&options_.kept, &options_.rejected}) {
        if (*settings && fs::is_directory(input) && is_below((*settings)->folder, input)) {
            throw Error{
                ErrorKind::Usage, "cannot filter", input.string(),
                fmt::format("the results in '{}' would stand inside it", (*settings)->folder.string())};
        }
    }
}

void Batch::take(const fs::path& input)
{
    check(input);
    studies_.clear();
    std::vector<std::string> files;
    try {
        files = files_below(input);
    } catch (const Error& error) {
        ends_.fail(input, error);
        return;
    }
    std::error_code ignored;
    const bool of_folder = fs::is_directory(input, ignored);
    for (const auto& file : files) {
        if (stop::requested()) {
            return;
        }
        try {
            judge(input, file, of_folder);
        } catch (const Error& error) {
            ++count_failed_;
            report(Record{file, Status::Failed, error.reason()});
            ends_.fail(file, error);
        }
    }
    for (const auto& [folder, study] : studies_) {
        Record record{folder, study.written > 0 ? Status::Ok : Status::Skipped};
        if (!study.uid.empty()) {
            record.set("StudyInstanceUID", study.uid);
        }
        emit(record.set("instances", study.written + study.skipped));
    }
}

void Batch::judge(const fs::path& input, const fs::path& file, bool of_folder)
{
    const auto instance = dicom::Instance::open_head(file, last_);
    const auto verdict = filter_.judge(instance);
    if (verdict.fate == Fate::Keep) {
        keep(input, file, instance, of_folder);
    } else {
        refuse(input, file, instance, verdict);
    }
    ends_.progress(1, instance.bytes().size());
}

void Batch::keep(const fs::path& input, const fs::path& file, const dicom::Instance& instance, bool of_folder)
{
    if (kept_) {
        const auto placed = kept_->put(input, file, instance);
        ++count_kept_;
        if (options_.list_rejected) {
            return;
        }
        if (of_folder && !placed.study_folder.empty()) {
            const auto [known, first] = studies_.try_emplace(placed.study_folder);
            auto& study = known->second;
            if (first) {
                study.uid = instance.study_uid();
            } else if (study.uid != instance.study_uid()) {
                study.uid.clear();
            }
            ++(placed.status == Status::Ok ? study.written : study.skipped);
            return;
        }
        Record record{placed.file, placed.status};
        add_uids(record, instance);
        emit(record.set("source", file.string()));
        return;
    }
    ++count_kept_;
    if (!options_.list_rejected) {
        Record record{file};
        add_uids(record, instance);
        emit(record);
    }
}

void Batch::refuse(
    const fs::path& input, const fs::path& file, const dicom::Instance& instance, const Verdict& verdict)
{
    Record record{file, Status::Ok, std::string{verdict.reason}};
    record.set("fate", std::string{to_string(verdict.fate)});
    add_uids(record, instance);
    if (rejected_) {
        record.set("copy", rejected_->put(input, file, instance).file.string());
    }
    ++reasons_[{verdict.fate, std::string{verdict.reason}}];
    report(record);
    if (!options_.list_rejected) {
        // What was asked to be left out is no result; what is not safe is.
        if (verdict.fate == Fate::Reject) {
            return;
        }
        log::warning("quarantined '{}': {}", file.string(), verdict.reason);
        record.set_status(Status::Quarantined);
    }
    emit(record);
}

void Batch::emit(Record record) const
{
    if (options_.dry_run) {
        record.set("dry_run", true);
    }
    ends_.emit(record);
}

void Batch::report(const Record& record)
{
    if (report_) {
        report_->write(record.json() + "\n");
    }
}

std::string Batch::finish()
{
    if (report_) {
        report_->publish(Existing::Replace);
    }
    auto text = fmt::format("kept {}", count_kept_);
    for (const auto& [what, count] : reasons_) {
        text += fmt::format(", {} {} ({})", to_string(what.first), count, what.second);
    }
    return count_failed_ == 0 ? text : fmt::format("{}, failed {}", text, count_failed_);
}

} // namespace dcmpipe::filter
