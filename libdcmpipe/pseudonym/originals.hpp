#pragma once

#include "dicom/tag.hpp"
#include "pseudonym/taken_elements.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::pseudonym {

/// What de-identification took from one instance: the top-level elements that it changed or removed, whole,
/// as they stood in the input.
struct Originals {
    std::string instance_uid;      ///< SOP Instance UID of the output
    std::string series_uid;        ///< of the output; instances of a series share most of what was taken
    std::string study_uid;         ///< of the output
    std::int64_t patient = 0;      ///< Patient::number
    std::string transfer_syntax;   ///< of the input: says how the elements are encoded
    TakenElements elements;        ///< encoded elements, header and value
    std::vector<dicom::Tag> added; ///< top-level elements that the output has and the input had not
};

/// The same, read back from where it was kept.
struct RecalledOriginals {
    std::string transfer_syntax;
    std::map<dicom::Tag, std::string> elements;
    std::vector<dicom::Tag> added;
    /// With them the data set is again what it was; false where some were left out (PS3.15 §E.1.2 seals no
    /// bulk data), so that the result must not pass for the original.
    bool complete = true;
};

/// The text of an original in UTF-8; empty where none was kept.
std::string original_text(const RecalledOriginals& originals, dicom::Tag tag);

/// What one row stores: the difference to another row, its base. An instance's base is its series' first
/// instance, that one's the study's first, that one's the patient's: a value stands once, at the level where
/// it is constant.
struct Difference {
    std::string transfer_syntax;
    std::map<dicom::Tag, std::string> elements; ///< that the base has otherwise, or not at all
    std::vector<dicom::Tag> absent;             ///< that the base has and the instance had not
    std::vector<dicom::Tag> added;

    /// The text and bytes that are compressed and sealed.
    std::string encode() const;
    /// Throws Error{Input} where the bytes are no difference.
    static Difference decode(std::string_view bytes);
};

/// What `originals` have that `base` has not.
Difference difference(const Originals& originals, const TakenElements& base);

/// Lays a difference over what its base gave.
void apply(const Difference& difference, RecalledOriginals& originals);

} // namespace dcmpipe::pseudonym
