#pragma once

#include "core/record.hpp"
#include "core/rope.hpp"

#include <filesystem>

namespace dcmpipe {

/// Writes a result durably under `path`, by the house's rule: Skipped where the same bytes stand there
/// already; Error{Output} where other bytes do, unless `overwrite`. `source` is the file the rope borrows
/// from, or null.
Status write_result(
    const Rope& bytes, const FileBytes* source, const std::filesystem::path& path, bool overwrite);

} // namespace dcmpipe
