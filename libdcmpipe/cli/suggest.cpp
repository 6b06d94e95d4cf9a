#include "cli/suggest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace dcmpipe::cli {

namespace {

/// Letters to change, add or drop to get from one word to the other (Levenshtein), two swapped neighbours
/// counting as one.
std::size_t distance(std::string_view from, std::string_view to)
{
    std::vector<std::size_t> before_last;
    std::vector<std::size_t> last(to.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::vector<std::size_t> row(to.size() + 1, i);
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t change = from[i - 1] == to[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last = std::exchange(last, std::move(row));
    }
    return last.back();
}

} // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known)
{
    std::optional<std::string> best;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto& candidate : known) {
        if (const auto letters = distance(word, candidate); letters < least) {
            least = letters;
            best = candidate;
        }
    }
    return best;
}

} // namespace dcmpipe::cli
