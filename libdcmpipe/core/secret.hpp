#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace dcmpipe {

/// The first line of `file` or, where none is named, of the environment's `variable`; empty where there is
/// neither. The file may be a pipe of the shell: `--password-file <(pass show api)`. Warns where others on
/// this machine can read it. Throws Error{Usage}: unreadable, or its first line is empty.
///
/// To be called before threads are started.
std::string read_secret(const std::optional<std::filesystem::path>& file, const char* variable);

} // namespace dcmpipe
