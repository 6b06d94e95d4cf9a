#pragma once

#include "deid/batch_ends.hpp"
#include "deid/restorer.hpp"
#include "dicom/layout.hpp"

#include <filesystem>
#include <functional>
#include <optional>

namespace dcmpipe::deid {

struct RestoreOptions {
    std::filesystem::path out;
    dicom::Layout layout{"patient"};
    RestoreLevel level = RestoreLevel::Identity;
    bool overwrite = false;
    bool dry_run = false;
};

/// What an instance was; nothing where nobody knows. Notes in the audit log that it tells, before it does.
using Recall = std::function<std::optional<pseudonym::RecalledOriginals>(const dicom::Instance&)>;

/// Gives files and trees their identity back, into one tree. A file gives a record of its result, a folder one
/// of each study folder it went into; a record is emitted only after its result is durable. Throws Error for
/// what ends the batch (the disk); what is wrong with one input goes to fail(). From one thread.
void restore_batch(const RestoreOptions& options, const Recall& recall, const BatchEnds& ends);

} // namespace dcmpipe::deid
