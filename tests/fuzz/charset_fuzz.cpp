/// \file A Specific Character Set on the first line and text after it: always UTF-8, and back to the same.

#include "core/utf8.hpp"
#include "dicom/charset.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace dcmpipe;
    const auto bytes = fuzz::view(data, size);
    const auto line = bytes.find('\n');
    if (line == std::string_view::npos) {
        return 0;
    }
    const dicom::CharacterSet characters{bytes.substr(0, line)};
    const auto text = characters.to_utf8(bytes.substr(line + 1));
    fuzz::must(is_utf8(text));
    if (const auto back = characters.from_utf8(text)) {
        fuzz::must(characters.to_utf8(*back) == text);
    }
    return 0;
}
