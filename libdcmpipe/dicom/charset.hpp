#pragma once

#include "dicom/element_index.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::dicom {

/// A Specific Character Set (0008,0005) (PS3.3 §C.12.1.1.2) and its way to UTF-8: single byte, multi-byte,
/// and code extensions (ISO 2022). Not for sharing between threads.
class CharacterSet {
public:
    /// `value` as it stands in the data set, several values joined by backslashes. Frequent misspellings are
    /// understood; an unknown term counts as absent.
    explicit CharacterSet(std::string_view value = {});
    CharacterSet(CharacterSet&&) noexcept;
    CharacterSet& operator=(CharacterSet&&) noexcept;
    ~CharacterSet();

    /// Text of a VR that the character set applies to. Where no set is declared but bytes beyond ASCII stand
    /// there, they are taken for UTF-8 if they are, else for Latin-1. Bytes that mean nothing become U+FFFD;
    /// the result is always valid UTF-8.
    std::string to_utf8(std::string_view bytes) const;

    /// The way back; nothing where a character has no place in the set, or the set switches by escape
    /// sequences and the text is more than ASCII.
    std::optional<std::string> from_utf8(std::string_view text) const;

private:
    class Converter;
    struct Terms;
    std::unique_ptr<Terms> terms_;
};

/// The Specific Character Set that an element's text is written in: of the innermost item around it that has
/// one, or of the data set (PS3.3 §C.12.1.1.2).
std::string_view character_set_at(const ElementIndex& index, std::uint32_t element) noexcept;

} // namespace dcmpipe::dicom
