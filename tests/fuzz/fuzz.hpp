#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// What libFuzzer calls with bytes of its own making; the plain build calls it with files (replay.cpp). An
/// Error is an answer; anything else that leaves it, or a broken promise, is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace dcmpipe::fuzz {

inline std::string_view view(const std::uint8_t* data, std::size_t size)
{
    return {reinterpret_cast<const char*>(data), size};
}

/// What must hold whatever the bytes are.
inline void must(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

} // namespace dcmpipe::fuzz
