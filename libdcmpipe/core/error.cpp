#include "core/error.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace dcmpipe {

Error::Error(ErrorKind kind, std::string_view doing, std::string_view subject, std::string_view reason)
    : std::runtime_error(fmt::format("{} '{}': {}", doing, subject, reason)), kind_(kind), subject_(subject),
      reason_(reason)
{
}

Error Error::from_errno(ErrorKind kind, std::string_view doing, std::string_view subject)
{
    return {kind, doing, subject, std::generic_category().message(errno)};
}

} // namespace dcmpipe
