#include "net/async_window.hpp"

#include "dicom/element_index.hpp"
#include "dicom/encode.hpp"

namespace dcmpipe::net {

namespace {

constexpr std::size_t before_items = 74; // header and fixed fields of both PDUs
constexpr char user_information = 0x50;
constexpr char async_operations_window = 0x53;

std::uint16_t u16(std::string_view bytes, std::size_t offset)
{
    return dicom::read_u16(bytes, offset, true);
}

/// Where the item or sub-item of this type begins; npos where there is none.
std::size_t find_item(std::string_view pdu, std::size_t from, std::size_t end, char type)
{
    while (from + 4 <= end && end <= pdu.size()) {
        if (pdu[from] == type) {
            return from + 4 + u16(pdu, from + 2) <= end ? from : std::string_view::npos;
        }
        from += 4U + u16(pdu, from + 2);
    }
    return std::string_view::npos;
}

} // namespace

std::optional<AsyncWindow> window_of(std::string_view pdu)
{
    const auto user = find_item(pdu, before_items, pdu.size(), user_information);
    if (user == std::string_view::npos) {
        return std::nullopt;
    }
    const auto end = user + 4 + u16(pdu, user + 2);
    const auto window = find_item(pdu, user + 4, end, async_operations_window);
    if (window == std::string_view::npos || u16(pdu, window + 2) != 4) {
        return std::nullopt;
    }
    return AsyncWindow{.invoked = u16(pdu, window + 4), .performed = u16(pdu, window + 6)};
}

std::string with_window(std::string pdu, AsyncWindow window)
{
    const auto user = find_item(pdu, before_items, pdu.size(), user_information);
    if (user == std::string_view::npos) {
        return pdu;
    }
    const auto length = u16(pdu, user + 2);
    const auto item = std::string{async_operations_window, '\0'} + dicom::encode_u16(4, true) +
                      dicom::encode_u16(window.invoked, true) + dicom::encode_u16(window.performed, true);
    const auto longer = static_cast<std::uint16_t>(length + item.size());
    const auto whole = dicom::read_u32(pdu, 2, true) + static_cast<std::uint32_t>(item.size());
    pdu.insert(user + 4 + length, item);
    pdu.replace(user + 2, 2, dicom::encode_u16(longer, true));
    pdu.replace(2, 4, dicom::encode_u32(whole, true));
    return pdu;
}

} // namespace dcmpipe::net
