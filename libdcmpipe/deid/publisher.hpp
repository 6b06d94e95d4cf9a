#pragma once

#include "core/file_bytes.hpp"
#include "core/output_file.hpp"
#include "core/rope.hpp"
#include "deid/batch_ends.hpp"
#include "deid/report.hpp"
#include "pseudonym/originals.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace dcmpipe::deid {

/// What became of one file of a batch, on its way to the disk and to the record.
struct Outcome {
    std::filesystem::path input;
    std::optional<Error> error; ///< nothing else counts where it is set
    std::filesystem::path study_folder;
    std::string study_uid;
    std::optional<OutputFile> file; ///< written but nameless; none where the output stands there already
    bool repeated = false;          ///< the same bytes have or get this name without it
    std::optional<pseudonym::Originals> originals;
    std::optional<Record> record;
    ActionCounts counts{};
    bool of_folder = false;      ///< the input named a folder: report studies, not files
    bool last_of_folder = false; ///< with it, the folder is done
};

/// Writes the bytes of a result for its outcome, nameless; or marks the outcome as skipped where the same
/// bytes stand under `path`. `source` is the file that `bytes` borrow from, or null.
void write_outcome(
    Outcome& outcome, const Rope& bytes, const FileBytes* source, const std::filesystem::path& path);

/// What a publisher may do.
struct PublishOptions {
    bool overwrite = false;
    bool in_place = false; ///< remove each input once its result stands beside it; leave no study markers
    bool dry_run = false;
};

/// Brings outcomes into the order of their tickets and publishes them together: bytes to the disk, what was
/// taken to the map, names, folders, records; in this order, so that a kill at any instant loses nothing
/// and shows nothing that is not safe. Any thread may call it; one at a time publishes, and the others go on
/// until they are far ahead.
class Publisher {
public:
    using Remember = std::function<void(const std::vector<pseudonym::Originals>&)>;

    /// `remember` is called with what was taken, before a result has its name.
    Publisher(const PublishOptions& options, Remember remember, const BatchEnds& ends)
        : options_(options), remember_(std::move(remember)), ends_(ends)
    {
    }

    /// Takes the outcome of the ticket; tickets count from 0 without gaps. Publishes when enough came in.
    void add(std::uint64_t ticket, Outcome outcome);

    /// Publishes what came in so far.
    void flush();

    /// What was done; for when nobody adds any more.
    const Report& report() const { return tally_; }

private:
    struct Study {
        std::string uid;
        std::int64_t written = 0;
        std::int64_t skipped = 0;
    };

    void publish(std::unique_lock<std::mutex>& lock);
    void publish(std::vector<Outcome>& outcomes);
    void settle_conflicts(std::vector<Outcome>& outcomes);
    void name_file(Outcome& outcome);
    void remove_input(Outcome& outcome);
    void account(Outcome& outcome);
    void emit(Outcome& outcome);
    void report_studies();

    PublishOptions options_;
    Remember remember_;
    const BatchEnds& ends_;
    std::mutex mutex_;                       ///< guards what comes in
    std::condition_variable moved_;          ///< something came in, went out, or went wrong
    bool publishing_ = false;                ///< by one of the threads
    bool due_ = false;                       ///< what is ready should be published now
    bool broken_ = false;                    ///< a step threw: nothing is published after it
    std::uint64_t next_ = 0;                 ///< the ticket that comes next
    std::map<std::uint64_t, Outcome> early_; ///< came before their turn
    std::vector<Outcome> ready_;

    // Of the thread that publishes.

    Report tally_;
    std::filesystem::path marked_;              ///< the study folder that was marked last
    std::unordered_set<std::size_t> published_; ///< hashes of the paths this batch gave results
    std::map<std::string, Study> studies_;      ///< by folder, of the one that is going through
};

} // namespace dcmpipe::deid
