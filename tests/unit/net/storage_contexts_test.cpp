#include "net/storage_contexts.hpp"

#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dicom::transfer_syntax;
using net::choose_storage_syntax;

TEST_CASE("every storage class is one, known, coming or private; other services are not")
{
    for (const auto* const uid :
         {"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.9999",
          "1.2.840.10008.5.1.4.34.7", "1.2.840.10008.5.1.4.45.1", "1.3.12.2.1107.5.9.1"}) {
        CAPTURE(uid);
        CHECK(net::is_storage_class(uid));
    }
    for (const std::string_view uid :
         {"1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.31", "1.2.840.10008.1.20.1",
          "1.2.840.10008.5.1.1.9", "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.34.71", "", "not a uid"}) {
        CAPTURE(uid);
        CHECK_FALSE(net::is_storage_class(uid));
    }
}

TEST_CASE("the peer's first choice, but explicit VR rather than implicit or big endian")
{
    const std::string ct = "1.2.840.10008.5.1.4.1.1.2";
    const std::string implicit{ImplicitVRLittleEndian};
    const std::string explicit_le{ExplicitVRLittleEndian};
    const std::string big{ExplicitVRBigEndian};
    const std::string jpeg = "1.2.840.10008.1.2.4.70";
    CHECK(choose_storage_syntax({ct, {implicit, explicit_le, jpeg}}) == explicit_le);
    CHECK(choose_storage_syntax({ct, {big, implicit, explicit_le}}) == explicit_le);
    CHECK(choose_storage_syntax({ct, {implicit, jpeg}}) == implicit);
    CHECK(choose_storage_syntax({ct, {jpeg, explicit_le}}) == jpeg);
    CHECK(choose_storage_syntax({ct, {"1.2.3.4.5"}}) == "1.2.3.4.5");
    CHECK(choose_storage_syntax({std::string{dicom::uid::Verification}, {implicit}}) == implicit);
    CHECK(choose_storage_syntax({ct, {}}).empty());
    CHECK(choose_storage_syntax({std::string{dicom::uid::StudyRootFind}, {implicit}}).empty());
}
