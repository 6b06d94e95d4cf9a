#include "deid/dummy.hpp"

#include "dicom/encode.hpp"
#include "dicom/tags.hpp"

#include <map>
#include <string_view>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::Encoding;
using dicom::Tag;
using dicom::Vr;

namespace {

constexpr std::string_view nothing_said = "DEIDENTIFIED";

/// Elements of one item, encoded as they are added.
class Item {
public:
    explicit Item(Encoding encoding) : encoding_(encoding) {}

    Item& add(Tag tag, Vr vr, std::string_view value) &
    {
        elements_ += dicom::encode_element(tag, vr, value, encoding_);
        return *this;
    }
    Item& add_number(Tag tag, std::uint16_t value) &
    {
        return add(tag, vr::US, dicom::encode_u16(value, encoding_.big_endian));
    }
    std::string encoded() const { return dicom::encode_item(elements_, encoding_); }
    Encoding encoding() const { return encoding_; }

private:
    Encoding encoding_;
    std::string elements_;
};

std::string code(Encoding encoding, std::string_view value, std::string_view scheme, std::string_view meaning)
{
    Item item{encoding};
    item.add(tags::CodeValue, vr::SH, value);
    item.add(tags::CodingSchemeDesignator, vr::SH, scheme);
    item.add(tags::CodeMeaning, vr::LO, meaning);
    return item.encoded();
}

std::string unknown_code(Encoding encoding)
{
    return code(encoding, "DEID", "99DCMPIPE", nothing_said);
}

/// PS3.16: a comment, the humblest of content items.
std::string content(Encoding encoding)
{
    Item item{encoding};
    item.add(tags::RelationshipType, vr::CS, "CONTAINS");
    item.add(tags::ValueType, vr::CS, "TEXT");
    item.add(tags::ConceptNameCodeSequence, vr::SQ, code(encoding, "121106", "DCM", "Comment"));
    item.add(tags::TextValue, vr::UT, nothing_said);
    return item.encoded();
}

std::string verifying_observer(Encoding encoding)
{
    Item item{encoding};
    item.add(tags::VerifyingOrganization, vr::LO, nothing_said);
    item.add(tags::VerificationDateTime, vr::DT, dummy_value(vr::DT, encoding));
    item.add(tags::VerifyingObserverName, vr::PN, nothing_said);
    item.add(tags::VerifyingObserverIdentificationCodeSequence, vr::SQ, "");
    return item.encoded();
}

std::string operator_identification(Encoding encoding)
{
    Item item{encoding};
    item.add(tags::InstitutionName, vr::LO, nothing_said);
    item.add(tags::PersonIdentificationCodeSequence, vr::SQ, unknown_code(encoding));
    return item.encoded();
}

/// PS3.3 §C.10.5: an annotation that draws one point.
std::string graphic_annotation(Encoding encoding)
{
    Item point{encoding};
    point.add(tags::GraphicAnnotationUnits, vr::CS, "PIXEL");
    point.add_number(tags::GraphicDimensions, 2);
    point.add_number(tags::NumberOfGraphicPoints, 1);
    point.add(tags::GraphicData, vr::FL, std::string(8, '\0'));
    point.add(tags::GraphicType, vr::CS, "POINT");
    Item item{encoding};
    item.add(tags::GraphicLayer, vr::CS, nothing_said);
    item.add(tags::GraphicObjectSequence, vr::SQ, point.encoded());
    return item.encoded();
}

} // namespace

std::string dummy_value(Vr vr, Encoding)
{
    static const std::map<Vr, std::string> values{
        {vr::AE, "DEID"},
        {vr::AS, "000D"},
        {vr::CS, "DEID"},
        {vr::DA, "19000101"},
        {vr::DS, "0"},
        {vr::DT, "19000101000000"},
        {vr::IS, "0"},
        {vr::LO, std::string{nothing_said}},
        {vr::LT, std::string{nothing_said}},
        {vr::PN, std::string{nothing_said}},
        {vr::SH, std::string{nothing_said}},
        {vr::ST, std::string{nothing_said}},
        {vr::TM, "000000"},
        {vr::UC, std::string{nothing_said}},
        {vr::UR, "urn:deidentified"},
        {vr::UT, std::string{nothing_said}},
        {vr::SQ, ""},
        {vr::UI, "2.25.0"},
    };
    const auto found = values.find(vr);
    // Numbers and bytes: zeros read the same in every byte order.
    return found != values.end() ? found->second : std::string(std::max(2U, unsigned{traits(vr).unit}), '\0');
}

std::optional<std::string> dummy_items(Tag sequence, Encoding encoding)
{
    static const std::map<Tag, std::string (*)(Encoding)> makers{
        {tags::InstitutionCodeSequence, unknown_code},
        {tags::PersonIdentificationCodeSequence, unknown_code},
        {tags::OperatorIdentificationSequence, operator_identification},
        {tags::VerifyingObserverSequence, verifying_observer},
        {tags::ContentSequence, content},
        {tags::GraphicAnnotationSequence, graphic_annotation},
    };
    const auto found = makers.find(sequence);
    return found != makers.end() ? std::optional{found->second(encoding)} : std::nullopt;
}

} // namespace dcmpipe::deid
