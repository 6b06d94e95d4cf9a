/// \file A deflate stream: inflated within its limit or refused, in memory and in a file alike.

#include "core/error.hpp"
#include "dicom/inflate.hpp"
#include "fuzz/fuzz.hpp"

#include <optional>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace dcmpipe;
    constexpr std::uint64_t limit = 1U << 20U;
    const auto bytes = fuzz::view(data, size);
    std::optional<std::string> inflated;
    try {
        inflated = dicom::inflate(bytes, limit);
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Input);
    }
    try {
        const dicom::Inflated in_file{bytes, limit, 4096};
        fuzz::must(inflated && in_file.view() == *inflated);
        fuzz::must(inflated->size() <= limit);
        const auto again = dicom::deflate(*inflated);
        fuzz::must(again.size() % 2 == 0 && dicom::inflate(again, limit) == *inflated);
    } catch (const Error& error) {
        fuzz::must(!inflated && error.kind() == ErrorKind::Input);
    }
    return 0;
}
