#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::cli {

/// The one of `known` that somebody who wrote `word` most likely meant; nothing where none is near, that is
/// more than a third of its letters away.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

} // namespace dcmpipe::cli
