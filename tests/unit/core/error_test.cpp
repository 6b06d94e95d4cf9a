#include "core/error.hpp"

#include "core/exit_code.hpp"

#include <catch2/catch.hpp>

#include <cerrno>

using namespace dcmpipe;

TEST_CASE("an error reads as a whole: what failed, on what, why")
{
    const Error error{ErrorKind::Input, "cannot read", "x.dcm", "not a DICOM file"};
    CHECK(error.what() == std::string{"cannot read 'x.dcm': not a DICOM file"});
    CHECK(error.kind() == ErrorKind::Input);
    CHECK(error.subject() == "x.dcm");
    CHECK(error.reason() == "not a DICOM file");
}

TEST_CASE("an error without a subject is its reason")
{
    const Error error{ErrorKind::Usage, "no input given"};
    CHECK(error.what() == std::string{"no input given"});
    CHECK(error.subject().empty());
    CHECK(error.reason() == "no input given");
}

TEST_CASE("the reason of errno")
{
    errno = ENOENT;
    const auto error = Error::from_errno(ErrorKind::Output, "cannot write", "a/b");
    CHECK(error.what() == std::string{"cannot write 'a/b': No such file or directory"});
}

TEST_CASE("the kind decides the exit code")
{
    CHECK(exit_code(ErrorKind::Usage) == ExitCode::Usage);
    CHECK(exit_code(ErrorKind::Peer) == ExitCode::TryLater);
    CHECK(exit_code(ErrorKind::Refused) == ExitCode::Refused);
    for (const auto kind : {ErrorKind::Input, ErrorKind::Output, ErrorKind::Cancelled, ErrorKind::Internal}) {
        CHECK(exit_code(kind) == ExitCode::Failed);
    }
    CHECK(static_cast<int>(ExitCode::Partial) == 3);
}
