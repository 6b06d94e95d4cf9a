#pragma once

#include "deid/anonymizer.hpp"
#include "deid/batch_ends.hpp"
#include "deid/code_table.hpp"
#include "deid/report.hpp"
#include "dicom/layout.hpp"
#include "pseudonym/map.hpp"

#include <filesystem>

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
