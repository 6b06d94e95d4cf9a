#include "dcm.hpp"

#include <memory>
#include <stdexcept>
#include <string>

namespace studies {

void check(const OFCondition& condition, std::string_view doing)
{
    if (condition.bad()) {
        throw std::runtime_error{std::string{doing} + ": " + condition.text()};
    }
}

void set(DcmItem& item, const DcmTag& tag, std::string_view value)
{
    const std::string text{value};
    check(item.putAndInsertString(tag, text.c_str()), "cannot set " + std::string{tag.toString().c_str()});
}

void set(DcmItem& item, const DcmTag& tag, std::uint16_t value)
{
    check(item.putAndInsertUint16(tag, value), "cannot set a number");
}

void set(DcmItem& item, const DcmTag& tag, const std::vector<std::uint16_t>& values)
{
    check(item.putAndInsertUint16Array(tag, values.data(), values.size()), "cannot set numbers");
}

void set(DcmItem& item, const DcmTag& tag, const std::vector<float>& values)
{
    check(item.putAndInsertFloat32Array(tag, values.data(), values.size()), "cannot set numbers");
}

void set_bytes(DcmItem& item, const DcmTag& tag, std::string_view bytes)
{
    const auto* const data = reinterpret_cast<const Uint8*>(bytes.data());
    if (tag.getEVR() != EVR_UN) {
        check(item.putAndInsertUint8Array(tag, data, bytes.size()), "cannot set bytes");
        return;
    }
    // DcmItem has no way of its own to insert UN.
    auto element = std::make_unique<DcmOtherByteOtherWord>(tag);
    check(element->putUint8Array(data, bytes.size()), "cannot set bytes");
    check(item.insert(element.get(), /*replaceOld=*/true), "cannot set bytes");
    [[maybe_unused]] const auto* const owned_by_item = element.release();
}

DcmItem& add_item(DcmItem& item, const DcmTag& sequence)
{
    constexpr long at_the_end = -2;
    DcmItem* added = nullptr;
    check(item.findOrCreateSequenceItem(sequence, added, at_the_end), "cannot add an item");
    return *added;
}

DcmItem& add_code(
    DcmItem& item, const DcmTag& sequence, std::string_view value, std::string_view scheme,
    std::string_view meaning)
{
    DcmItem& code = add_item(item, sequence);
    set(code, DCM_CodeValue, value);
    set(code, DCM_CodingSchemeDesignator, scheme);
    set(code, DCM_CodeMeaning, meaning);
    return code;
}

DcmItem& add_reference(
    DcmItem& item, const DcmTag& sequence, std::string_view sop_class_uid, std::string_view instance_uid)
{
    DcmItem& reference = add_item(item, sequence);
    set(reference, DCM_ReferencedSOPClassUID, sop_class_uid);
    set(reference, DCM_ReferencedSOPInstanceUID, instance_uid);
    return reference;
}

std::string text_of(DcmItem& item, const DcmTagKey& tag)
{
    OFString text;
    return item.findAndGetOFStringArray(tag, text).good() ? std::string{text.c_str()} : std::string{};
}

} // namespace studies
