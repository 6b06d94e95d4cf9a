#pragma once

#include <filesystem>

namespace studies {

/// Writes the malformed corpus: what readers of DICOM have died of, a file a fault, named after it. It seeds
/// the fuzzers and is what the tests of bad input read.
void make_hostile(const std::filesystem::path& folder);

} // namespace studies
