#pragma once

#include "filter/rules.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace dcmpipe::filter {

/// The rules that need no file.
struct QuickRules {
    std::string modalities;     ///< `CT,MR`: keep these only; patterns; empty: no such rule
    std::string not_modalities; ///< reject these
    bool original_only = false; ///< reject images whose Image Type does not begin with ORIGINAL
    std::optional<std::filesystem::path> uids;     ///< keep only what is listed here
    std::optional<std::filesystem::path> not_uids; ///< reject what is listed here
};

/// Adds a rule set for what is given. Throws Error{Usage}.
void add_quick_rules(Filter& filter, const QuickRules& quick);

} // namespace dcmpipe::filter
