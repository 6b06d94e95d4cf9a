#pragma once

#include "core/error.hpp"
#include "core/record.hpp"
#include "deid/anonymizer.hpp"
#include "deid/code_table.hpp"
#include "deid/report.hpp"
#include "dicom/layout.hpp"
#include "pseudonym/map.hpp"

#include <filesystem>
#include <functional>
#include <optional>

namespace dcmpipe::deid {

struct BatchOptions {
    std::filesystem::path out; ///< unused in place
    dicom::Layout layout{"patient"};
    CodeTable codes;
    unsigned jobs = 0; ///< threads; 0 means one a core
    bool overwrite = false;
    bool dry_run = false;
    /// Each result goes beside its input, under its new SOP Instance UID; then the input is removed.
    bool in_place = false;
};

/// Where a batch's inputs come from and its results go to. Each may be called from any thread, one call at a
/// time; an exception from one of them ends the batch.
struct BatchEnds {
    std::function<std::optional<std::filesystem::path>()> next_input;
    std::function<bool()> input_is_ready; ///< next_input would not wait
    std::function<void(const Record&)> emit;
    std::function<void(const std::filesystem::path&, const Error&, Status)> fail;
    std::function<void(std::uint64_t items, std::uint64_t bytes)> progress;
};

/// De-identifies files and trees into one tree, several at a time.
///
/// A file gives a record of its output, a folder one of each study folder it went into. Results do not
/// depend on the number of threads: patients get their codes in the order of the inputs. An output appears
/// only after the map knows what was taken from it, and a record is emitted only after its output is durable.
/// An instance that is an output of this map already is refused (in place: passed over).
/// Throws Error for what ends the batch (the map, the disk); what is wrong with one input goes to fail().
Report run_batch(
    const BatchOptions& options, const Anonymizer& anonymizer, pseudonym::Map& map, const BatchEnds& ends);

} // namespace dcmpipe::deid
