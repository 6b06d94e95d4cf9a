#include "send/verdict.hpp"

#include "net/command.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace dcmpipe::send {

namespace {

struct Meaning {
    std::uint16_t first;
    std::uint16_t last;
    Verdict verdict;
    std::string_view text;
};

/// The first row that fits counts.
constexpr std::array<Meaning, 21> meanings{{
    {0x0000, 0x0000, Verdict::Stored, "success"},
    {0x0001, 0x0001, Verdict::StoredWithWarning, "a warning"},
    {0x0107, 0x0107, Verdict::StoredWithWarning, "errors in the attribute list"},
    {0x0110, 0x0110, Verdict::TryAgain, "processing failure"},
    {0x0111, 0x0111, Verdict::Refused, "duplicate SOP instance"},
    {0x0116, 0x0116, Verdict::StoredWithWarning, "an attribute value is out of range"},
    {0x0117, 0x0117, Verdict::Refused, "invalid SOP instance"},
    {0x0122, 0x0122, Verdict::Refused, "SOP class not supported"},
    {0x0124, 0x0124, Verdict::Refused, "not authorized"},
    {0x0210, 0x0210, Verdict::Refused, "duplicate invocation"},
    {0x0211, 0x0211, Verdict::Refused, "unrecognized operation"},
    {0x0212, 0x0212, Verdict::Refused, "mistyped argument"},
    {0x0213, 0x0213, Verdict::TryAgain, "resource limitation"},
    {0xa700, 0xa7ff, Verdict::TryAgain, "out of resources"},
    {0xa900, 0xa9ff, Verdict::Refused, "the data set does not match its SOP class"},
    {0xb000, 0xb000, Verdict::StoredWithWarning, "data elements were coerced"},
    {0xb006, 0xb006, Verdict::StoredWithWarning, "elements were discarded"},
    {0xb007, 0xb007, Verdict::StoredWithWarning, "the data set does not match its SOP class"},
    {0xb000, 0xbfff, Verdict::StoredWithWarning, "a warning"},
    {0xc000, 0xcfff, Verdict::Refused, "it cannot understand the instance"},
    {0x0000, 0xffff, Verdict::Refused, "a failure"},
}};

const Meaning& meaning_of(std::uint16_t status) noexcept
{
    return *std::find_if(meanings.begin(), meanings.end(), [&](const Meaning& meaning) {
        return status >= meaning.first && status <= meaning.last;
    });
}

} // namespace

Verdict verdict_of(std::uint16_t status) noexcept
{
    return meaning_of(status).verdict;
}

std::string describe(std::uint16_t status)
{
    return fmt::format("{}, {}", net::status_text(status), meaning_of(status).text);
}

} // namespace dcmpipe::send
