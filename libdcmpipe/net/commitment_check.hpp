#pragma once

#include "dicom/layout.hpp"
#include "net/commitment.hpp"

#include <filesystem>

namespace dcmpipe::net {

/// Which of the instances stand below `root`, each found, opened, compared, and forced to the disk with every
/// folder that leads to it: whatever the store promised when it came, what is committed is durable now.
///
/// Where the layout names files by instance, names are read and only what matches is opened; else every file
/// is.
CommitmentReport check_commitment(
    const std::filesystem::path& root, const dicom::Layout& layout, const CommitmentRequest& request);

} // namespace dcmpipe::net
