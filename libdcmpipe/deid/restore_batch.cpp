#include "deid/restore_batch.hpp"

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "deid/publisher.hpp"
#include "dicom/tags.hpp"

namespace dcmpipe::deid {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

void restore_file(const RestoreOptions& options, const Recall& recall, Outcome& outcome)
{
    const auto instance = dicom::Instance::open(outcome.input);
    const auto originals = recall(instance);
    if (!originals) {
        throw Error{
            ErrorKind::Input, "cannot restore", outcome.input.string(), "no originals of it are known"};
    }
    const auto restored = restore(instance, *originals, options.level);
    if (options.level == RestoreLevel::Full && lost_pixels(instance, *originals)) {
        log::warning(
            "'{}': what was painted over in its pixels is kept nowhere, and stays so", instance.name());
    }
    const auto place = restored.place(instance, options.layout);
    const auto path = options.out / place.file;
    outcome.study_folder = place.study_folder.empty() ? fs::path{} : options.out / place.study_folder;
    outcome.study_uid = restored.text(instance, tags::StudyInstanceUID);
    outcome.record = Record{path};
    if (options.dry_run) {
        outcome.record->set("dry_run", true);
    } else {
        write_outcome(outcome, restored.file, instance.file(), path);
    }
}

} // namespace

void restore_batch(const RestoreOptions& options, const Recall& recall, const BatchEnds& ends)
{
    Publisher publisher{{options.overwrite, false, options.dry_run}, {}, ends};
    std::uint64_t ticket = 0;
    const auto attempt = [&](Outcome outcome, const auto& work) {
        try {
            work(outcome);
        } catch (const Error& error) {
            outcome.error = error;
        }
        publisher.add(ticket++, std::move(outcome));
    };
    const auto next_input = [&] {
        if (!ends.input_is_ready()) {
            // Who waits at the other end of the pipe should see what is done while we wait here.
            publisher.flush();
        }
        return ends.next_input();
    };
    while (const auto input = next_input()) {
        std::error_code ignored;
        const bool of_folder = fs::is_directory(*input, ignored);
        std::vector<std::string> files;
        try {
            files = files_below(*input);
        } catch (const Error& error) {
            attempt({.input = *input}, [&](Outcome&) { throw error; });
        }
        for (std::size_t i = 0; i < files.size() && !stop::requested(); ++i) {
            Outcome outcome{.input = files[i]};
            outcome.of_folder = of_folder;
            outcome.last_of_folder = of_folder && i + 1 == files.size();
            attempt(std::move(outcome), [&](Outcome& o) { restore_file(options, recall, o); });
            ends.progress(1, 0);
        }
    }
    publisher.flush();
}

} // namespace dcmpipe::deid
