#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// What a token of identity is; decides where it counts.
enum class TokenKind {
    Name,
    NamePart, ///< one word of a component with several
    Id,
    Contact,
    Place, ///< of an institution: goes from text, but is no hit of its own
    Date,
    Uid
};

/// Finds any of many tokens in bytes, letters of ASCII in either case. Built for an instance, or copied from
/// what its sisters share, then searched many times. A search costs about a nanosecond a byte. Immutable once
/// built; any thread may search.
class TokenSearch {
public:
    /// The shortest token that is looked for in any bytes: shorter ones are found everywhere.
    static constexpr std::size_t shortest = 4;
    /// The shortest name that is looked for in text, as a whole word.
    static constexpr std::size_t shortest_name = 2;

    struct Token {
        std::string bytes; ///< ASCII letters folded to lower case
        TokenKind kind;
        bool weak; ///< also a word of every day: counts only beside another token of the same person
        std::uint32_t anchor = 0; ///< the four bytes it is found by
        std::uint32_t next = 0;   ///< token of the same slot, counted from 1; 0 is none
    };

    struct Hit {
        std::size_t start;
        std::size_t length;
        const Token* token;
    };

    /// Adds a token; too short ones and doubles are passed over.
    void add(std::string_view bytes, TokenKind kind, bool weak = false);

    /// All hits in any bytes, from left to right. Short names and numbers count as whole words only.
    std::vector<Hit> find_all(std::string_view bytes) const;

    /// All hits in text that people wrote, from left to right: names of two and three bytes too.
    std::vector<Hit> find_in_text(std::string_view text) const;

    /// True where something is found that counts: a strong token, or two different ones; places do not.
    bool finds(std::string_view bytes) const { return counts(find_all(bytes)); }

    /// As finds(), in text: whole components of names with three bytes, too. (Those of two, and parts of
    /// three, are every other abbreviation.)
    bool finds_in_text(std::string_view text) const;

private:
    static constexpr std::size_t slots = 2048;

    static std::uint32_t four_bytes(const char* bytes);
    static std::size_t slot(std::uint32_t anchor) { return (anchor * 2654435761U) >> 21U; }
    static std::size_t anchor_of(const Token& token);
    static bool stands_alone(const Token& token, std::string_view bytes, std::size_t start);
    static bool counts(std::vector<Hit> hits);
    void find_short_names(std::string_view text, std::vector<Hit>& hits) const;

    std::vector<Token> tokens_;
    std::vector<Token> short_names_;
    /// The last token of each slot, counted from 1: most places are passed over by one look.
    std::array<std::uint32_t, slots> last_{};
};

/// Lower case for the letters A to Z, nothing else.
std::string folded(std::string_view text);

} // namespace dcmpipe::deid
