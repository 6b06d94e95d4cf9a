/// \file decode-text: what our CharacterSet makes of bytes. Reads lines of `SPECIFIC_CHARACTER_SET <tab>
/// BYTES_IN_HEX` and prints the text as JSON strings.

#include "dicom/charset.hpp"

#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

int main()
{
    std::string line;
    while (std::getline(std::cin, line)) {
        const auto tab = line.find('\t');
        std::string bytes;
        for (auto i = tab + 1; i + 1 < line.size(); i += 2) {
            bytes += static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16));
        }
        const dcmpipe::dicom::CharacterSet characters{line.substr(0, tab)};
        std::cout << nlohmann::json(characters.to_utf8(bytes)).dump() << '\n';
    }
}
