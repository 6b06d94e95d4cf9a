#include "deid/publisher.hpp"

#include "core/file_bytes.hpp"
#include "dicom/study_folder.hpp"

#include <unordered_map>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace fs = std::filesystem;

namespace {

/// Enough to share the cost of a sync, few enough to keep open at once.
constexpr std::size_t most_at_once = 128;

/// One call for all the bytes and names that were written since the last.
void sync_file_system(const fs::path& folder)
{
    const Fd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd || ::syncfs(fd.get()) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", folder.string());
    }
}

/// Of its letters: the library's own hash takes the path apart first.
std::size_t hash_of(const fs::path& path)
{
    return std::hash<std::string_view>{}(path.native());
}

Error exists_and_differs(const fs::path& path)
{
    return {
        ErrorKind::Output, "cannot write", path.string(), "it exists and differs (--overwrite replaces it)"};
}

/// The bytes of an output, named or not yet.
FileBytes bytes_of(const OutputFile& file)
{
    return FileBytes::open("/proc/self/fd/" + std::to_string(file.fd()));
}

} // namespace

void write_outcome(Outcome& outcome, const Rope& bytes, const FileBytes* source, const fs::path& path)
{
    std::error_code ignored;
    if (fs::exists(path, ignored) && bytes.equals(FileBytes::open(path).view())) {
        outcome.record->set_status(Status::Skipped);
        return;
    }
    outcome.file.emplace(path);
    bytes.write_to(outcome.file->fd(), source, path);
}

void Publisher::add(std::uint64_t ticket, Outcome outcome)
{
    std::unique_lock lock{mutex_};
    if (broken_) {
        return;
    }
    early_.emplace(ticket, std::move(outcome));
    while (!early_.empty() && early_.begin()->first == next_) {
        ready_.push_back(std::move(early_.begin()->second));
        early_.erase(early_.begin());
        due_ = due_ || ready_.back().last_of_folder || ready_.size() >= most_at_once;
        ++next_;
    }
    moved_.notify_all();
    if (due_ && !publishing_) {
        publish(lock);
    }
    // Who holds the next ticket never waits here: it has not come in.
    moved_.wait(lock, [this] {
        return broken_ || (early_.size() < most_at_once && (!publishing_ || ready_.size() < most_at_once));
    });
}

void Publisher::flush()
{
    std::unique_lock lock{mutex_};
    moved_.wait(lock, [this] { return !publishing_; });
    if (!broken_) {
        publish(lock);
    }
}

/// All that is ready, and what gets due meanwhile.
void Publisher::publish(std::unique_lock<std::mutex>& lock)
{
    publishing_ = true;
    try {
        do {
            due_ = false;
            auto outcomes = std::exchange(ready_, {});
            moved_.notify_all();
            lock.unlock();
            publish(outcomes);
            lock.lock();
        } while (due_ && !broken_);
    } catch (...) {
        lock.lock();
        broken_ = true;
        publishing_ = false;
        moved_.notify_all();
        throw;
    }
    publishing_ = false;
    moved_.notify_all();
}

void Publisher::publish(std::vector<Outcome>& outcomes)
{
    settle_conflicts(outcomes);
    std::vector<pseudonym::Originals> originals;
    const OutputFile* written = nullptr;
    for (auto& outcome : outcomes) {
        if (outcome.originals && !outcome.error) {
            originals.push_back(std::move(*outcome.originals));
        }
        written = outcome.file ? &*outcome.file : written;
    }
    const auto folder = written != nullptr ? written->path().parent_path() : fs::path{};
    if (written != nullptr) {
        sync_file_system(folder);
    }
    if (!originals.empty()) {
        remember_(originals);
    }
    for (auto& outcome : outcomes) {
        name_file(outcome);
    }
    if (written != nullptr) {
        sync_file_system(folder);
    }
    for (auto& outcome : outcomes) {
        remove_input(outcome);
        account(outcome);
        emit(outcome);
    }
}

/// An output that stands there already, or that an earlier input of this batch gave, is a repetition where
/// its bytes are the same and an error where they are not: before the map learns of it.
void Publisher::settle_conflicts(std::vector<Outcome>& outcomes)
{
    std::unordered_map<std::string_view, const OutputFile*> taken;
    for (auto& outcome : outcomes) {
        if (outcome.error || !outcome.file) {
            continue;
        }
        const auto& path = outcome.file->path();
        const auto [earlier, first] = taken.try_emplace(path.native(), &*outcome.file);
        std::error_code ignored;
        if (first && !fs::exists(path, ignored)) {
            continue;
        }
        const auto there = first ? FileBytes::open(path) : bytes_of(*earlier->second);
        if (bytes_of(*outcome.file).view() == there.view()) {
            outcome.record->set_status(Status::Skipped);
            outcome.repeated = true;
        } else if (!first || published_.contains(hash_of(path))) {
            // --overwrite replaces what earlier runs left: two inputs of one run must not become one.
            outcome.error = Error{
                ErrorKind::Output, "cannot write", path.string(),
                "another input has the same SOP Instance UID and differs"};
        } else if (!options_.overwrite) {
            outcome.error = exists_and_differs(path);
        }
    }
}

void Publisher::name_file(Outcome& outcome)
{
    if (outcome.error || !outcome.file || outcome.repeated) {
        return;
    }
    if (!outcome.study_folder.empty() && !options_.in_place &&
        outcome.study_folder.native() != marked_.native()) {
        dicom::mark_study_folder(outcome.study_folder, outcome.study_uid);
        marked_ = outcome.study_folder;
    }
    if (!outcome.file->appear(options_.overwrite ? Existing::Replace : Existing::Keep)) {
        // Another process was faster.
        outcome.error = exists_and_differs(outcome.file->path());
        return;
    }
    published_.insert(hash_of(outcome.file->path()));
}

/// Last of all, once the result is safe.
void Publisher::remove_input(Outcome& outcome)
{
    if (options_.in_place && outcome.record && !outcome.error && !options_.dry_run) {
        std::error_code error;
        fs::remove(outcome.input, error);
        if (error) {
            outcome.error = Error{
                ErrorKind::Output, "cannot remove", outcome.input.string(),
                fmt::format("{}; its result stands beside it", error.message())};
        }
    }
}

void Publisher::account(Outcome& outcome)
{
    if (outcome.error) {
        tally_.without_output(outcome.input, *outcome.error);
    } else if (!outcome.record) {
        tally_.left_out();
    } else if (outcome.record->status() == Status::Skipped) {
        tally_.skipped();
    } else {
        tally_.written(outcome.counts);
    }
}

void Publisher::emit(Outcome& outcome)
{
    if (outcome.error) {
        const bool refused = outcome.error->kind() == ErrorKind::Refused;
        ends_.fail(outcome.input, *outcome.error, refused ? Status::Quarantined : Status::Failed);
    } else if (outcome.of_folder && outcome.record) {
        auto& study = studies_[outcome.study_folder.native()];
        study.uid = outcome.study_uid;
        ++(outcome.record->status() == Status::Ok ? study.written : study.skipped);
    } else if (outcome.record) {
        ends_.emit(*outcome.record);
    }
    if (outcome.last_of_folder) {
        report_studies();
    }
}

void Publisher::report_studies()
{
    for (const auto& [folder, study] : studies_) {
        ends_.emit(Record{folder, study.written > 0 ? Status::Ok : Status::Skipped}
                       .set("StudyInstanceUID", study.uid)
                       .set("instances", study.written + study.skipped)
                       .set("written", study.written));
    }
    studies_.clear();
}

} // namespace dcmpipe::deid
