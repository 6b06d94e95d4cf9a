#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace dcmpipe::upload {

/// Either a token, or a user name and a password that get one.
struct Credentials {
    std::string username;
    std::string password;
    std::string token;
};

/// Where credentials come from; for what no file is named, DPIPE_PASSWORD and DPIPE_TOKEN of the environment
/// are read.
struct CredentialSources {
    std::string username;
    std::optional<std::filesystem::path> password_file;
    std::optional<std::filesystem::path> token_file;
};

/// None at all may be right as well. Throws Error{Usage}: a name without password, both kinds, an unreadable
/// or empty file, characters that no header may hold. Warns where others on this machine can read a file.
Credentials read_credentials(const CredentialSources& sources);

} // namespace dcmpipe::upload
