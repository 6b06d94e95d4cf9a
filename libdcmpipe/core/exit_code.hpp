#pragma once

#include "core/error.hpp"

namespace dcmpipe {

/// The same in every command. Codes are never counts; death by a signal is 128 + its number.
enum class ExitCode : int {
    Ok = 0,       ///< all done
    Failed = 1,   ///< could not go on
    Usage = 2,    ///< usage, configuration, profile or CSV wrong: nothing done
    Partial = 3,  ///< finished, some items failed or were quarantined
    TryLater = 4, ///< peer unreachable or busy
    Refused = 5,  ///< refused for privacy or safety; or a check found problems
};

/// The exit code of a command that ends by an error of this kind.
constexpr ExitCode exit_code(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Usage:
        return ExitCode::Usage;
    case ErrorKind::Peer:
        return ExitCode::TryLater;
    case ErrorKind::Refused:
        return ExitCode::Refused;
    case ErrorKind::Input:
    case ErrorKind::Output:
    case ErrorKind::Cancelled:
    case ErrorKind::Internal:
        return ExitCode::Failed;
    }
    return ExitCode::Failed;
}

} // namespace dcmpipe
