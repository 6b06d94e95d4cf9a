#include "upload/credentials.hpp"

#include "core/error.hpp"
#include "core/fd.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

namespace dcmpipe::upload {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest = 64 * 1024;

/// The first line of the file; it may be a pipe of the shell: `--password-file <(pass show api)`.
std::string read_secret(const fs::path& path)
{
    const auto fail = [&] { return Error::from_errno(ErrorKind::Usage, "cannot read", path.string()); };
    const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        throw fail();
    }
    if (S_ISREG(status.st_mode) && (status.st_mode & 077U) != 0) {
        log::warning("others on this machine can read '{}': chmod 600 it", path.string());
    }
    std::string text(longest, '\0');
    std::size_t size = 0;
    for (ssize_t count = 1; count != 0 && size < text.size();) {
        count = ::read(fd.get(), text.data() + size, text.size() - size);
        if (count < 0 && errno != EINTR) {
            throw fail();
        }
        size += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    text.resize(std::min(size, text.find_first_of("\r\n")));
    if (text.empty()) {
        throw Error{ErrorKind::Usage, "cannot use", path.string(), "its first line is empty"};
    }
    return text;
}

std::string secret_of(const std::optional<fs::path>& file, const char* variable)
{
    if (file) {
        return read_secret(*file);
    }
    const char* const value = std::getenv(variable); // NOLINT(concurrency-mt-unsafe): read before threads
    return value != nullptr ? value : "";
}

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
        credentials.password = secret_of(sources.password_file, "DPIPE_PASSWORD");
    } else {
        credentials.token = secret_of(sources.token_file, "DPIPE_TOKEN");
    }
    if (!sources.username.empty() && credentials.password.empty()) {
        throw Error{ErrorKind::Usage, "no password: --password-file or DPIPE_PASSWORD"};
    }
    check_token(credentials.token);
    return credentials;
}

} // namespace dcmpipe::upload
