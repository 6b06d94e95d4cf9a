#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace studies {

/// SplitMix64: the same numbers on every machine, which std's distributions do not promise.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    /// A stream of its own for everything that has a name.
    Random(std::uint64_t seed, std::string_view name) : state_(seed)
    {
        for (const char c : name) {
            state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
        }
        next();
    }

    std::uint64_t next()
    {
        auto mixed = state_ += 0x9e3779b97f4a7c15ULL;
        mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9ULL;
        mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111ebULL;
        return mixed ^ mixed >> 31U;
    }

    /// From `low` to `high`, both included.
    unsigned between(unsigned low, unsigned high)
    {
        return low + static_cast<unsigned>(next() % (high - low + 1U));
    }

    std::string digits(unsigned count)
    {
        std::string text;
        while (text.size() < count) {
            text += static_cast<char>('0' + between(text.empty() ? 1 : 0, 9));
        }
        return text;
    }

private:
    std::uint64_t state_;
};

} // namespace studies
