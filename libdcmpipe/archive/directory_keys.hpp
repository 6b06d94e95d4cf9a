#pragma once

#include "dicom/element_index.hpp"
#include "dicom/tag.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace dcmpipe::archive {

/// What a directory record must say of an attribute (PS3.5 §7.4).
enum class Need : std::uint8_t {
    Value,     ///< type 1: invented where the instance has none
    IfPresent, ///< types 1C and 3: left out where the instance has none
    EvenEmpty, ///< type 2
};

/// What stands in for a value of type 1 that an instance lacks.
enum class StandIn : std::uint8_t {
    None,     ///< nothing can: no record is made
    Place,    ///< the number of the record among its sisters, from 1
    Date,     ///< another date of the instance, else 1900-01-01
    Time,     ///< another time of the instance, else 00:00
    Moment,   ///< both in one
    Text,     ///< DirectoryKey::text
    PlaceText ///< DirectoryKey::text and that number in six digits
};

/// Which part of an instance's value goes into the record.
enum class Part : std::uint8_t {
    All,
    ConceptModifiers, ///< the items of a content tree that modify its title (PS3.3 Table F.5-25)
    Series,           ///< of each item: its study and series alone
    LastVerified,     ///< the latest one inside the Verifying Observer Sequence
    OrShared,         ///< where it is not at top level, that of the Shared Functional Groups, at any depth
};

struct DirectoryKey {
    dicom::Tag tag;
    Need need = Need::Value;
    StandIn stand_in = StandIn::None;
    std::string_view text{};
    Part part = Part::All;
};

/// A kind of directory record (PS3.3 §F.3.2.2, §F.5).
struct RecordType {
    std::string_view name; ///< Directory Record Type (0004,1430)
    std::span<const DirectoryKey> keys;
    /// Stands in the root of the directory: it belongs to no patient. Files that it refers to are named by
    /// `prefix`.
    bool is_root = false;
    std::string_view prefix = "IM";
};

extern const RecordType patient_record;
extern const RecordType study_record;
extern const RecordType series_record;
/// The profiles that allow compressed images have more keys (PS3.11 §H, §J).
extern const RecordType patient_record_with_more;
extern const RecordType series_record_with_more;

/// The record that refers to an instance of this SOP class; where the class is none that we know but of the
/// standard, what the data set holds decides. Null where the standard has no record for it.
const RecordType* record_type_of(std::string_view sop_class_uid, const dicom::ElementIndex& data_set);

/// An IMAGE with more keys in the place of an IMAGE.
const RecordType* with_more(const RecordType* type);

} // namespace dcmpipe::archive
