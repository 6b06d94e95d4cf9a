#pragma once

#include "filter/condition.hpp"

#include <filesystem>

namespace dcmpipe::filter {

/// A term that holds of the instances that a file of UIDs names: text with one UID a line, each of a study, a
/// series or an instance (`#` starts a comment), or JSON `{"studies": [...], "series": [...], "instances":
/// [...]}`. Throws Error{Usage}: unreadable, or something in it is no UID.
Condition::Term uids_of(const std::filesystem::path& file);

} // namespace dcmpipe::filter
