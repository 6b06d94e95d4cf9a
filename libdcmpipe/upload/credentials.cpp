#include "upload/credentials.hpp"

#include "core/error.hpp"
#include "core/secret.hpp"

#include <algorithm>
#include <string_view>

namespace dcmpipe::upload {

namespace {

void check_token(std::string_view token)
{
    if (!std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; })) {
        throw Error{ErrorKind::Usage, "the token holds characters that no HTTP header may hold"};
    }
}

} // namespace

Credentials read_credentials(const CredentialSources& sources)
{
    if (sources.token_file && !sources.username.empty()) {
        throw Error{ErrorKind::Usage, "either --token-file or --username, not both"};
    }
    Credentials credentials{sources.username, {}, {}};
    if (!sources.username.empty()) {
        credentials.password = read_secret(sources.password_file, "DPIPE_PASSWORD");
    } else {
        credentials.token = read_secret(sources.token_file, "DPIPE_TOKEN");
    }
    if (!sources.username.empty() && credentials.password.empty()) {
        throw Error{ErrorKind::Usage, "no password: --password-file or DPIPE_PASSWORD"};
    }
    check_token(credentials.token);
    return credentials;
}

} // namespace dcmpipe::upload
