#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace dcmpipe {

/// What kind of failure it is. The kind decides the exit code and whether trying again can help.
enum class ErrorKind {
    Usage,     ///< the caller's words, configuration, profile or CSV are wrong: nothing was done
    Input,     ///< an input cannot be read or is not what it should be
    Output,    ///< a result cannot be written
    Peer,      ///< the other side is unreachable, busy or broke off: trying later can help
    Refused,   ///< done on purpose: it would have cost privacy or safety
    Cancelled, ///< a signal asked to stop
    Internal,  ///< a fault of dcmpipe
};

/// The one exception type that leaves the library.
///
/// what() reads as a whole: `cannot read 'x.dcm': not a DICOM file`. It never holds an attribute value.
class Error : public std::runtime_error {
public:
    /// A failure that has no subject: `no input given`.
    Error(ErrorKind kind, const std::string& reason)
        : std::runtime_error(reason), kind_(kind), reason_(reason)
    {
    }

    /// `doing` failed first, on `subject`, because of `reason`: `doing 'subject': reason`.
    Error(ErrorKind kind, std::string_view doing, std::string_view subject, std::string_view reason);

    /// As above, with the reason of errno.
    static Error from_errno(ErrorKind kind, std::string_view doing, std::string_view subject);

    ErrorKind kind() const noexcept { return kind_; }

    /// The file, node or word the failure is about; empty where there is none.
    const std::string& subject() const noexcept { return subject_; }

    /// Why, without the subject: fit for a record that names the subject beside it.
    const std::string& reason() const noexcept { return reason_; }

private:
    ErrorKind kind_;
    std::string subject_;
    std::string reason_;
};

} // namespace dcmpipe
