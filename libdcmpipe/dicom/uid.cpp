#include "dicom/uid.hpp"

#include <algorithm>

namespace dcmpipe::dicom::uid {

std::string_view trimmed(std::string_view value) noexcept
{
    while (!value.empty() && (value.back() == '\0' || value.back() == ' ')) {
        value.remove_suffix(1);
    }
    return value;
}

bool is_valid(std::string_view uid) noexcept
{
    if (uid.empty() || uid.size() > 64 || uid.front() == '.' || uid.back() == '.') {
        return false;
    }
    const bool characters =
        std::all_of(uid.begin(), uid.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
    return characters && uid.find("..") == std::string_view::npos;
}

bool is_well_known(std::string_view uid) noexcept
{
    return uid.substr(0, 14) == "1.2.840.10008.";
}

std::string from_uuid(const std::array<std::uint8_t, 16>& uuid)
{
    __extension__ using Number = unsigned __int128;
    Number number = 0;
    for (const auto byte : uuid) {
        number = number << 8U | byte;
    }
    std::string digits;
    do {
        digits += static_cast<char>('0' + static_cast<int>(number % 10));
        number /= 10;
    } while (number != 0);
    std::reverse(digits.begin(), digits.end());
    return "2.25." + digits;
}

} // namespace dcmpipe::dicom::uid
