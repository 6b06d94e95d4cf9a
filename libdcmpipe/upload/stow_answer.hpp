#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace dcmpipe::upload {

/// What a STOW-RS server says of each instance (PS3.18 §10.5.3.2).
struct StowAnswer {
    std::set<std::string> stored;           ///< SOP Instance UIDs of the Referenced SOP Sequence
    std::map<std::string, unsigned> failed; ///< of the Failed SOP Sequence, with the Failure Reason
};

/// Reads a body of application/dicom+json; nothing where it is none.
std::optional<StowAnswer> read_stow_answer(std::string_view body);

/// True where the same instance may be taken later: out of resources (A7xx), a failure in processing (0110).
bool may_pass(unsigned failure_reason) noexcept;

} // namespace dcmpipe::upload
