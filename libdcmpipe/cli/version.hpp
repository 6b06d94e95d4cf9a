#pragma once

#include <string>
#include <string_view>

namespace dcmpipe::cli {

/// What --version prints: program, version, edition of the PS3.15 table.
std::string version_text(std::string_view program);

} // namespace dcmpipe::cli
