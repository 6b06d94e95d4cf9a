#include "net/async_window.hpp"

#include "dicom/encode.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using net::AsyncWindow;

namespace {

std::string item(char type, std::string_view body)
{
    return std::string{type, '\0'} + dicom::encode_u16(static_cast<std::uint16_t>(body.size()), true) +
           std::string{body};
}

std::string pdu(std::string_view user_items)
{
    const auto items = item(0x10, "1.2.840.10008.3.1.1.1") + item(0x20, "a context") + item(0x50, user_items);
    const auto length = dicom::encode_u32(static_cast<std::uint32_t>(68 + items.size()), true);
    return std::string{"\2\0", 2} + length + std::string(68, 'x') + items;
}

} // namespace

TEST_CASE("a window is found among the user's items")
{
    const auto size = item(0x51, std::string(4, '\1'));
    CHECK(net::window_of(pdu(size + item(0x53, {"\0\5\0\1", 4}))) == AsyncWindow{5, 1});
    CHECK(net::window_of(pdu(item(0x53, {"\0\0\0\0", 4}) + size)) == AsyncWindow{0, 0});
    CHECK_FALSE(net::window_of(pdu(size)));
    CHECK_FALSE(net::window_of(pdu(item(0x53, "\1"))));
}

TEST_CASE("whatever is cut off, nothing is read past the end")
{
    const auto whole = pdu(item(0x51, std::string(4, '\1')) + item(0x53, {"\0\5\0\1", 4}));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK_FALSE(net::window_of(std::string{whole, 0, size}));
        CHECK(net::with_window(std::string{whole, 0, size}, {}).size() == size);
    }
}

TEST_CASE("an acceptance gets a window, and its lengths still hold")
{
    const auto size = item(0x51, std::string(4, '\1'));
    const auto written = net::with_window(pdu(size), {7, 1});
    CHECK(written == pdu(size + item(0x53, {"\0\7\0\1", 4})));
    CHECK(net::window_of(written) == AsyncWindow{7, 1});
}
