#include "deid/cms.hpp"

#include "core/error.hpp"
#include "support/certificate.hpp"
#include "support/scratch.hpp"

#include <fstream>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::deid;

namespace {

ErrorKind kind_of(const std::function<void()>& work)
{
    try {
        work();
    } catch (const Error& error) {
        return error.kind();
    }
    FAIL("nothing was thrown");
    return {};
}

} // namespace

TEST_CASE("what is sealed opens with each recipient's key, in every form, and with no other")
{
    const test::Scratch scratch;
    for (const auto* const name : {"a", "b", "stranger"}) {
        test::write_certificate(scratch.path(), name);
    }
    const std::string plain(100'000, 'x');
    for (const CmsForm form : {CmsForm{}, CmsForm{.oaep = true}, CmsForm{.gcm = true}, CmsForm{true, true}}) {
        const auto sealed = CmsRecipients{{scratch / "a.pem", scratch / "b.pem"}, form}.seal(plain);
        CHECK(sealed.find("xxxx") == std::string::npos);
        CHECK(sealed.size() > plain.size());
        CHECK(CmsKey{scratch / "a.key", {}}.open(sealed) == plain);
        CHECK(CmsKey{scratch / "b.key", scratch / "b.pem"}.open(sealed + '\0') == plain);
        const CmsKey stranger{scratch / "stranger.key", {}};
        CHECK(kind_of([&] { stranger.open(sealed); }) == ErrorKind::Refused);
        CHECK(kind_of([&] { stranger.open("no message"); }) == ErrorKind::Refused);
        CHECK(kind_of([&] { stranger.open(""); }) == ErrorKind::Refused);
    }
}

TEST_CASE("the same twice is sealed otherwise each time")
{
    const test::Scratch scratch;
    test::write_certificate(scratch.path(), "a");
    const CmsRecipients recipients{{scratch / "a.pem"}, {}};
    CHECK(recipients.seal("text") != recipients.seal("text"));
}

TEST_CASE("under GCM a changed byte is always found")
{
    const test::Scratch scratch;
    test::write_certificate(scratch.path(), "a");
    auto sealed = CmsRecipients{{scratch / "a.pem"}, {.gcm = true}}.seal(std::string(1000, 'x'));
    const CmsKey key{scratch / "a.key", {}};
    for (const auto from_end : {20U, 30U, 500U, 900U}) {
        auto changed = sealed;
        changed[changed.size() - from_end] ^= 1;
        CHECK(kind_of([&] { key.open(changed); }) == ErrorKind::Refused);
    }
}

TEST_CASE("certificates that must not be used are refused")
{
    const test::Scratch scratch;
    test::write_certificate(scratch.path(), "short", 1024);
    test::write_certificate(scratch.path(), "old", 2048, -86'400);
    const auto use = [&](const char* name, bool allow_expired) {
        return [&scratch, name, allow_expired] {
            CmsRecipients{{scratch / name}, {.allow_expired = allow_expired}};
        };
    };
    CHECK(kind_of(use("short.pem", true)) == ErrorKind::Refused);
    CHECK(kind_of(use("old.pem", false)) == ErrorKind::Refused);
    CHECK_NOTHROW(use("old.pem", true)());
    CHECK(kind_of(use("old.key", false)) == ErrorKind::Usage);
    CHECK(kind_of(use("none.pem", false)) == ErrorKind::Usage);
}

TEST_CASE("a key file that others can read is refused")
{
    const test::Scratch scratch;
    test::write_certificate(scratch.path(), "a");
    ::chmod((scratch / "a.key").c_str(), 0640);
    CHECK(kind_of([&] { CmsKey(scratch / "a.key", {}); }) == ErrorKind::Refused);
}
