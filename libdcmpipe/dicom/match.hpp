#pragma once

#include "dicom/instance.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::dicom {

enum class Case { Ignored, Kept }; ///< of ASCII letters

/// True where `text` fits `pattern`, both in UTF-8: `*` stands for any characters, `?` for one.
bool fits(std::string_view text, std::string_view pattern, Case letters = Case::Ignored) noexcept;

/// A condition on an instance: some attributes of its data set fit patterns. All must hold. Immutable; any
/// thread may use it.
class Condition {
public:
    /// An attribute, by keyword or tag, and the patterns of which one of its values must fit one. The word
    /// `SOPClass` means the SOP class by its UID, or by the name of PS3.6 without blanks and `Storage`.
    /// Throws Error{Usage} with the reason alone where the word is no attribute.
    void add(std::string_view word, std::vector<std::string> patterns);

    bool empty() const noexcept { return terms_.empty(); }
    bool holds(const Instance& instance) const;

private:
    struct Term {
        Tag tag;
        std::vector<std::string> patterns;
        bool sop_class = false;
    };
    std::vector<Term> terms_;
};

/// The name of a SOP class as Condition knows it: `EncapsulatedPDF`; the UID where it has none.
std::string sop_class_name(std::string_view uid);

} // namespace dcmpipe::dicom
