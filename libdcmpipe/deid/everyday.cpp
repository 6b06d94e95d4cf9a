#include "deid/everyday.hpp"

#include "deid/token_search.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::deid {

namespace {

constexpr auto everyday_words = [] {
    auto words = std::to_array<std::string_view>({
#include "deid/everyday_words.inc"
    });
    std::sort(words.begin(), words.end());
    return words;
}();

} // namespace

bool is_everyday(std::string_view word)
{
    return std::binary_search(everyday_words.begin(), everyday_words.end(), folded(word));
}

} // namespace dcmpipe::deid
