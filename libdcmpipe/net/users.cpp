#include "net/users.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"

#include <sstream>

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace dcmpipe::net {

Users Users::from_file(const std::filesystem::path& path)
{
    const auto refuse = [&](const std::string& reason) {
        throw Error{ErrorKind::Usage, "cannot use the users file", path.string(), reason};
    };
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        throw Error::from_errno(ErrorKind::Usage, "cannot use the users file", path.string());
    }
    if ((status.st_mode & 077U) != 0) {
        refuse("others may read it: chmod 600");
    }
    Users users;
    std::istringstream lines{read_text_file(path)};
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const auto colon = line.find(':');
        if (colon == line.npos || colon == 0 || colon + 1 == line.size()) {
            refuse(fmt::format("line {}: not user:passcode", number));
        }
        if (!users.passcodes_.try_emplace(line.substr(0, colon), line.substr(colon + 1)).second) {
            refuse(fmt::format("line {}: the user was named before", number));
        }
    }
    return users;
}

bool Users::knows(std::string_view user, std::string_view passcode) const
{
    const auto found = passcodes_.find(user);
    return found != passcodes_.end() && found->second.size() == passcode.size() &&
           CRYPTO_memcmp(found->second.data(), passcode.data(), passcode.size()) == 0;
}

} // namespace dcmpipe::net
