#include "deid/encrypted_attributes.hpp"

#include "core/error.hpp"
#include "support/certificate.hpp"
#include "support/data_set.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::deid;
namespace tags = dicom::tags;
namespace vr = dicom::vr;

namespace {

struct Fixture {
    test::Scratch scratch;

    Fixture() { test::write_certificate(scratch.path(), "a"); }
    CmsRecipients recipients() const { return CmsRecipients{{scratch / "a.pem"}, {}}; }
    CmsKey key() const { return CmsKey{scratch / "a.key", {}}; }

    /// The instance with `elements` sealed into it.
    std::string sealed(test::DataSet data_set, const std::map<dicom::Tag, std::string>& elements) const
    {
        const auto file = data_set.file();
        const auto instance = dicom::Instance::from_bytes(file, "x");
        data_set.add(
            tags::EncryptedAttributesSequence, vr::SQ, encrypted_items(instance, elements, recipients()));
        return data_set.file();
    }
};

std::map<dicom::Tag, std::string> taken(std::string_view name)
{
    return {
        {tags::PatientName,
         dicom::encode_element(tags::PatientName, vr::PN, name, dicom::ExplicitLittleEndian)}};
}

} // namespace

TEST_CASE_METHOD(Fixture, "what was taken comes back, with the UID and characters it belongs to")
{
    auto data_set = test::small_instance();
    const auto file = sealed(data_set, taken("Smithson^Jane"));
    CHECK(file.find("Smithson") == std::string::npos);
    const auto instance = dicom::Instance::from_bytes(file, "x");
    const auto originals = decrypted_originals(instance, key());
    REQUIRE(originals);
    CHECK(originals->elements.at(tags::PatientName) == taken("Smithson^Jane").at(tags::PatientName));
    CHECK(originals->elements.contains(tags::SOPInstanceUID));
    CHECK_FALSE(originals->complete);
}

TEST_CASE_METHOD(Fixture, "an instance without encrypted attributes has none")
{
    const auto file = test::small_instance().file();
    CHECK_FALSE(decrypted_originals(dicom::Instance::from_bytes(file, "x"), key()));
}

TEST_CASE_METHOD(Fixture, "bulk data stays out, private elements bring their creator")
{
    auto data_set = test::small_instance();
    const dicom::Tag creator{0x0029, 0x0010};
    const dicom::Tag element{0x0029, 0x1001};
    data_set.add(creator, vr::LO, "ACME");
    auto elements = taken("Smithson^Jane");
    elements[element] = dicom::encode_element(element, vr::LO, "x", dicom::ExplicitLittleEndian);
    const dicom::Tag overlay{0x6000, 0x3000};
    elements[overlay] =
        dicom::encode_element(overlay, vr::OW, std::string(65'538, 'x'), dicom::ExplicitLittleEndian);
    const auto file = sealed(data_set, elements);
    const auto originals = decrypted_originals(dicom::Instance::from_bytes(file, "x"), key());
    REQUIRE(originals);
    CHECK(originals->elements.contains(creator));
    CHECK(originals->elements.contains(element));
    CHECK_FALSE(originals->elements.contains(overlay));
}

TEST_CASE_METHOD(Fixture, "a changed message is refused wherever it was changed")
{
    auto file = sealed(test::small_instance(), taken("Smithson^Jane " + std::string(40, 'x')));
    const auto instance = dicom::Instance::from_bytes(file, "x");
    const auto& data_set = instance.data_set();
    const auto item = data_set.first_child(data_set.find(tags::EncryptedAttributesSequence));
    const auto& content = data_set[data_set.find(tags::EncryptedContent, item)];
    const auto start = instance.data_set_offset() + content.value_offset();
    for (std::uint64_t at = start; at < start + content.length - 1; at += 7) {
        auto changed = file;
        changed[at] = static_cast<char>(changed[at] ^ 0x10);
        CAPTURE(at - start);
        CHECK_THROWS_AS(decrypted_originals(dicom::Instance::from_bytes(changed, "x"), key()), Error);
    }
}

TEST_CASE_METHOD(Fixture, "the newest of two layers comes first, and both open")
{
    const auto first = sealed(test::small_instance(), taken("First"));
    const auto once = dicom::Instance::from_bytes(first, "x");
    auto twice = test::small_instance();
    twice.add(
        tags::EncryptedAttributesSequence, vr::SQ, encrypted_items(once, taken("Second"), recipients()));
    const auto file = twice.file();
    const auto instance = dicom::Instance::from_bytes(file, "x");
    const auto originals = decrypted_originals(instance, key());
    REQUIRE(originals);
    CHECK(originals->elements.at(tags::PatientName) == taken("Second").at(tags::PatientName));
    // The other layer stays.
    CHECK(originals->elements.contains(tags::EncryptedAttributesSequence));
}

TEST_CASE_METHOD(Fixture, "with the project key a message of another instance is refused")
{
    const auto project_key = pseudonym::Key::generate();
    const auto own = sealed(test::small_instance("1.2.3.4.5"), taken("A"));
    const auto instance = dicom::Instance::from_bytes(own, "x");
    CHECK(decrypted_originals(instance, key(), &project_key)); // its UID was retained
    const auto items = instance.data_set().value(
        instance.data_set()[instance.data_set().find(tags::EncryptedAttributesSequence)]);
    auto derived = test::small_instance(project_key.uid("1.2.3.4.5"));
    derived.add(tags::EncryptedAttributesSequence, vr::SQ, items);
    const auto derived_file = derived.file();
    CHECK(decrypted_originals(dicom::Instance::from_bytes(derived_file, "x"), key(), &project_key));
    auto other = test::small_instance("1.2.3.4.6");
    other.add(tags::EncryptedAttributesSequence, vr::SQ, items);
    const auto other_file = other.file();
    const auto moved = dicom::Instance::from_bytes(other_file, "x");
    CHECK(decrypted_originals(moved, key()));
    CHECK_THROWS_WITH(decrypted_originals(moved, key(), &project_key), Catch::Contains("another instance"));
}
