#include "core/sha256.hpp"

#include "core/error.hpp"
#include "core/fd.hpp"
#include "core/output_file.hpp"
#include "support/scratch.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>

using namespace dcmpipe;

TEST_CASE("the examples of FIPS 180-4, in one piece and in two")
{
    Sha256 whole;
    whole.add("abc");
    CHECK(whole.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    Sha256 pieces;
    pieces.add("abcdbcdecdefdefgefghfghighijhijk");
    pieces.add("ijkljklmklmnlmnomnopnopq");
    CHECK(pieces.hex() == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("a file is read whole, wherever its offset stands")
{
    const test::Scratch scratch;
    write_text_file(scratch / "million", std::string(1'000'000, 'a'));
    const Fd fd{::open((scratch / "million").c_str(), O_RDONLY | O_CLOEXEC)};
    ::lseek(fd.get(), 17, SEEK_SET);
    CHECK(
        sha256_of(fd.get(), "million") == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK_THROWS_AS(sha256_of(-1, "none"), Error);
}
