#include "deid/batch.hpp"

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "deid/publisher.hpp"
#include "deid/subject.hpp"
#include "dicom/tags.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <thread>

namespace dcmpipe::deid {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

struct Job {
    std::uint64_t ticket = 0;
    fs::path file;
    bool of_folder = false;
    bool last_of_folder = false;
    std::optional<Error> error; ///< the input itself could not be read
};

/// One input that was named, and how far its files were given out.
struct Input {
    std::vector<std::string> files{};
    std::size_t next = 0;
    bool of_folder = false;
    std::optional<Error> error{};

    bool is_done() const { return next == files.size(); }
    Job give(std::uint64_t ticket)
    {
        fs::path file = std::move(files[next++]);
        return {ticket, std::move(file), of_folder, of_folder && is_done(), error};
    }
};

/// Lets threads pass one by one in the order of their tickets.
class Turnstile {
public:
    /// One thread's passage: it waits for its turn at take() and lets the next one in when it goes, taken or
    /// not, so that a failure on the way never holds up the others.
    class Turn {
    public:
        Turn(Turnstile& turnstile, std::uint64_t ticket) : turnstile_(turnstile), ticket_(ticket) {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn()
        {
            std::unique_lock lock{turnstile_.mutex_};
            turnstile_.turned_.wait(lock, [&] { return turnstile_.next_ == ticket_; });
            ++turnstile_.next_;
            turnstile_.turned_.notify_all();
        }
        void take()
        {
            std::unique_lock lock{turnstile_.mutex_};
            turnstile_.turned_.wait(lock, [&] { return turnstile_.next_ == ticket_; });
        }

    private:
        Turnstile& turnstile_;
        std::uint64_t ticket_;
    };

private:
    std::mutex mutex_;
    std::condition_variable turned_;
    std::uint64_t next_ = 0;
};

class Batch {
public:
    Batch(
        const BatchOptions& options, const Anonymizer& anonymizer, pseudonym::Map& map, const BatchEnds& ends)
        : options_(options), anonymizer_(anonymizer), map_(map), ends_(ends),
          publisher_(
              {options.overwrite, options.in_place, options.dry_run},
              [&map](const auto& originals) { map.remember(originals); }, ends)
    {
    }

    Report run()
    {
        const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
        {
            std::vector<std::jthread> threads;
            for (unsigned i = 1; i < (options_.jobs != 0 ? options_.jobs : cores); ++i) {
                threads.emplace_back([this] { work(); });
            }
            work();
        }
        if (failure_) {
            std::rethrow_exception(failure_);
        }
        publisher_.flush();
        return publisher_.report();
    }

private:
    void work()
    {
        try {
            while (auto job = next_job()) {
                publisher_.add(job->ticket, treat(*job));
                flush_if_idle(--running_);
            }
        } catch (...) {
            const std::lock_guard lock{source_};
            failure_ = failure_ ? failure_ : std::current_exception();
            over_ = true;
        }
    }

    std::optional<Job> next_job()
    {
        const std::lock_guard lock{source_};
        while (input_.is_done() && !over_ && !stop::requested()) {
            if (!ends_.input_is_ready()) {
                // Who waits at the other end of the pipe should see what is done while we wait here.
                waiting_ = true;
                flush_if_idle(running_);
            }
            const auto input = ends_.next_input();
            waiting_ = false;
            if (!input) {
                over_ = true;
            } else {
                input_ = opened(*input);
            }
        }
        if (input_.is_done() || over_on_failure() || stop::requested()) {
            return std::nullopt;
        }
        ++running_;
        return input_.give(tickets_++);
    }

    bool over_on_failure() const { return failure_ != nullptr; }

    void flush_if_idle(unsigned running)
    {
        if (running == 0 && waiting_) {
            publisher_.flush();
        }
    }

    Input opened(const fs::path& path) const
    {
        std::error_code ignored;
        const bool is_folder = fs::is_directory(path, ignored);
        try {
            if (is_folder && !options_.in_place && is_below(options_.out, path)) {
                throw Error{
                    ErrorKind::Refused, "cannot read", path.string(), "the output would stand inside it"};
            }
            return {.files = files_below(path), .of_folder = is_folder};
        } catch (const Error& error) {
            return {.files = {path.string()}, .error = error};
        }
    }

    struct Seen {
        dicom::Instance instance;
        Subject subject;
        pseudonym::Patient patient;
    };

    /// A patient's code is given in the order of the tickets, whoever read their file first. What the table
    /// or the map refuses ends this file; a map that fails ends the batch.
    std::optional<Error> find_patient(Seen& seen)
    {
        try {
            seen.patient = patient_of(seen.subject);
            return std::nullopt;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Refused) {
                throw;
            }
            return Error{ErrorKind::Refused, "cannot de-identify", seen.instance.name(), error.what()};
        }
    }

    pseudonym::Patient patient_of(const Subject& subject)
    {
        const auto code = options_.codes.code_of(subject.identity);
        if (options_.codes.has_codes() && !code) {
            throw Error{ErrorKind::Refused, "the table has no code for this patient"};
        }
        if (options_.dry_run) {
            return map_.find(subject.identity).value_or(pseudonym::Patient{0, code.value_or("new"), 0});
        }
        const auto& profile = anonymizer_.rules().profile();
        return map_.patient(
            subject.identity, {.form = profile.code,
                               .code = code,
                               .range = profile.shift,
                               .shift_days = options_.codes.shift_days_of(subject.identity),
                               .particulars = subject.particulars});
    }

    Outcome treat(const Job& job)
    {
        Outcome outcome;
        outcome.input = job.file;
        outcome.of_folder = job.of_folder;
        outcome.last_of_folder = job.last_of_folder;
        outcome.error = job.error;
        const auto look_in_turn = [&]() -> std::optional<Seen> {
            Turnstile::Turn turn{turnstile_, job.ticket};
            std::optional<Seen> seen;
            if (!job.error) {
                outcome.error = attempt([&] { seen = look_at(job.file); });
            }
            turn.take();
            if (seen) {
                outcome.error = find_patient(*seen);
            }
            return outcome.error ? std::nullopt : std::move(seen);
        };
        const auto seen = look_in_turn();
        if (seen) {
            outcome.error = attempt([&] { write(*seen, outcome); });
        }
        ends_.progress(1, seen ? seen->instance.bytes().size() : 0);
        return outcome;
    }

    /// Nothing for what is no instance and needs no copy.
    std::optional<Seen> look_at(const fs::path& file) const
    {
        auto instance = dicom::Instance::open(file);
        if (is_media_index(instance)) {
            log::warning("left out '{}': a media index (dpipe-dicomdir makes a new one)", file.string());
            return std::nullopt;
        }
        if (instance.data_set().text(tags::PatientIdentityRemoved) == "YES" &&
            map_.knows(instance.instance_uid())) {
            if (options_.in_place) {
                return std::nullopt;
            }
            throw Error{
                ErrorKind::Refused, "cannot de-identify", file.string(),
                "it is an output of this map already"};
        }
        anonymizer_.refuse_unfit(instance);
        auto subject = subject_of(instance, anonymizer_.rules().profile().default_issuer);
        return Seen{std::move(instance), std::move(subject), {}};
    }

    /// What is wrong with one file must not end the batch.
    template <class Step>
    static std::optional<Error> attempt(Step step)
    {
        try {
            step();
            return std::nullopt;
        } catch (const Error& error) {
            return error;
        }
    }

    void write(const Seen& seen, Outcome& outcome)
    {
        const auto& instance = seen.instance;
        if (seen.subject.anonymous) {
            log::warning("'{}' has no Patient ID: its study stands for the patient", outcome.input.string());
        }
        auto done = anonymizer_.anonymize(instance, seen.patient);
        const auto text = [&](dicom::Tag tag) { return done.text(instance, tag); };
        const auto place = done.place(instance, options_.layout);
        const auto path = options_.in_place
                              ? outcome.input.parent_path() / (done.originals.instance_uid + ".dcm")
                              : options_.out / place.file;
        outcome.study_folder = options_.in_place            ? path.parent_path()
                               : place.study_folder.empty() ? fs::path{}
                                                            : options_.out / place.study_folder;
        outcome.counts = done.counts;
        outcome.study_uid = done.originals.study_uid;
        outcome.record = Record{path}
                             .set("PatientID", text(tags::PatientID))
                             .set("StudyInstanceUID", done.originals.study_uid)
                             .set("SeriesInstanceUID", done.originals.series_uid)
                             .set("SOPInstanceUID", done.originals.instance_uid);
        if (options_.dry_run) {
            outcome.record->set("dry_run", true);
            return;
        }
        outcome.originals = std::move(done.originals);
        write_outcome(outcome, done.file, instance.file(), path);
    }

    const BatchOptions& options_;
    const Anonymizer& anonymizer_;
    pseudonym::Map& map_;
    const BatchEnds& ends_;
    Publisher publisher_;
    Turnstile turnstile_;
    std::mutex source_; ///< guards the input, the tickets and the inputs behind it
    Input input_;
    std::uint64_t tickets_ = 0;
    bool over_ = false;
    std::exception_ptr failure_;
    std::atomic<unsigned> running_{0};
    std::atomic<bool> waiting_{false};
};

} // namespace

Report run_batch(
    const BatchOptions& options, const Anonymizer& anonymizer, pseudonym::Map& map, const BatchEnds& ends)
{
    if (!options.dry_run && !options.in_place) {
        make_folders(options.out);
    }
    return Batch{options, anonymizer, map, ends}.run();
}

} // namespace dcmpipe::deid
