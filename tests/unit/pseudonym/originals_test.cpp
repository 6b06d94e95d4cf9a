#include "pseudonym/originals.hpp"

#include "core/error.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::pseudonym;
using dicom::Tag;
namespace tags = dicom::tags;
namespace vr = dicom::vr;

namespace {

Originals instance(std::map<Tag, std::string> elements)
{
    return {"i", "s", "st", 1, "1.2.840.10008.1.2.1", std::move(elements), {tags::PatientIdentityRemoved}};
}

RecalledOriginals over(const std::map<Tag, std::string>& base, const Originals& originals)
{
    RecalledOriginals recalled{"", base, {}};
    apply(difference(originals, base), recalled);
    return recalled;
}

} // namespace

TEST_CASE("a difference holds what the base has not, and laid over it gives the whole")
{
    const std::map<Tag, std::string> base{{Tag{1}, "a"}, {Tag{2}, "b"}, {Tag{3}, "c"}};
    const auto originals = instance({{Tag{1}, "a"}, {Tag{2}, "other"}, {Tag{4}, "d"}});
    const auto small = difference(originals, base);
    CHECK(small.elements == std::map<Tag, std::string>{{Tag{2}, "other"}, {Tag{4}, "d"}});
    CHECK(small.absent == std::vector{Tag{3}});
    const auto recalled = over(base, originals);
    CHECK(recalled.elements == originals.elements.map());
    CHECK(recalled.added == originals.added);
    CHECK(recalled.transfer_syntax == originals.transfer_syntax);
}

TEST_CASE("a difference survives its encoding, whatever bytes it holds")
{
    const auto originals = instance({{Tag{1}, std::string{"\0\n\xff{", 4}}, {Tag{2}, ""}, {Tag{3}, "x"}});
    const auto there = difference(originals, std::map<Tag, std::string>{{Tag{9}, "gone"}});
    const auto back = Difference::decode(there.encode());
    CHECK(back.elements == there.elements);
    CHECK(back.absent == there.absent);
    CHECK(back.added == there.added);
    CHECK(back.transfer_syntax == there.transfer_syntax);
}

TEST_CASE("bytes that are no difference are refused")
{
    CHECK_THROWS_AS(Difference::decode(""), Error);
    CHECK_THROWS_AS(Difference::decode("no deflated text"), Error);
    auto cut = difference(instance({{Tag{1}, std::string(1000, 'x')}}), {}).encode();
    cut.resize(cut.size() / 2);
    CHECK_THROWS_AS(Difference::decode(cut), Error);
}

TEST_CASE("the text of an original is UTF-8, whatever characters it was written in")
{
    const auto element = [](Tag tag, dicom::Vr vr, std::string_view value) {
        return std::pair{tag, dicom::encode_element(tag, vr, value, dicom::ExplicitLittleEndian)};
    };
    RecalledOriginals originals{"1.2.840.10008.1.2.1", {}, {}};
    originals.elements.insert(element(tags::PatientName, vr::PN, "M\xfcller^J"));
    originals.elements.insert(element(tags::SpecificCharacterSet, vr::CS, "ISO_IR 100"));
    CHECK(original_text(originals, tags::PatientName) == "Müller^J");
    CHECK(original_text(originals, tags::PatientID).empty());
}
