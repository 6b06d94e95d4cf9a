#include "core/secret.hpp"

#include "core/error.hpp"
#include "core/fd.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dcmpipe {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest = 64 * 1024;

std::string first_line_of(const fs::path& path)
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

} // namespace

std::string read_secret(const std::optional<fs::path>& file, const char* variable)
{
    if (file) {
        return first_line_of(*file);
    }
    const char* const value = std::getenv(variable); // NOLINT(concurrency-mt-unsafe): read before threads
    return value != nullptr ? value : "";
}

} // namespace dcmpipe
