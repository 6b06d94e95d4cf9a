#include "pseudonym/seal.hpp"

#include "core/error.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::pseudonym;

TEST_CASE("what is sealed to the public half opens with the private half, in its place alone")
{
    const auto key = RestoreKey::generate();
    const Sealer sealer{key.public_half};
    const auto sealed = sealer.seal("Doe^Jane", "patient 1");
    CHECK(sealed.find("Doe") == std::string::npos);
    CHECK(sealed != sealer.seal("Doe^Jane", "patient 1"));
    const Opener opener{sealer.sealed_key(), key};
    CHECK(opener.open(sealed, "patient 1") == "Doe^Jane");
    CHECK(opener.open(sealer.seal("", "x"), "x").empty());
    CHECK_THROWS_WITH(opener.open(sealed, "patient 2"), Catch::Contains("tampered"));
    CHECK_THROWS_WITH(opener.open("", "patient 1"), Catch::Contains("tampered"));
    for (std::size_t at = 0; at < sealed.size(); ++at) {
        auto changed = sealed;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        CHECK_THROWS_AS(opener.open(changed, "patient 1"), Error);
    }
}

TEST_CASE("another key opens nothing; a resealed one opens the same")
{
    const auto old_key = RestoreKey::generate();
    const auto new_key = RestoreKey::generate();
    const Sealer sealer{old_key.public_half};
    const auto sealed = sealer.seal("Doe^Jane", "x");
    CHECK_THROWS_WITH((Opener{sealer.sealed_key(), new_key}), Catch::Contains("does not fit"));
    const auto resealed = reseal(sealer.sealed_key(), old_key, new_key.public_half);
    CHECK((Opener{resealed, new_key}.open(sealed, "x") == "Doe^Jane"));
    CHECK_THROWS_AS((Opener{resealed, old_key}), Error);
    CHECK_THROWS_AS(reseal(sealer.sealed_key(), new_key, old_key.public_half), Error);
    CHECK_THROWS_AS((Opener{"short", old_key}), Error);
}
