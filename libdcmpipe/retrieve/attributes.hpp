#pragma once

#include "dicom/tag.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>

/// What a query speaks of. All functions are pure.
namespace dcmpipe::retrieve {

/// Attributes and their values as text in UTF-8, several values joined by backslashes.
using Attributes = std::map<dicom::Tag, std::string>;

/// The value; empty where it is absent.
std::string_view value_of(const Attributes& attributes, dicom::Tag tag);

/// The levels of the Study Root model (PS3.4 §C.6.2), where attributes of the patient are of the study; and
/// the one above them of the Patient Root model.
enum class Level { Patient, Study, Series, Image };

/// As (0008,0052) Query/Retrieve Level has it: `STUDY`.
std::string_view name_of(Level level) noexcept;

/// Where an attribute is asked for. One that no higher level has is of the image.
Level level_of(dicom::Tag tag) noexcept;

/// The columns of PACSIFIER's info CSV, in its order; the columns of a cohort are among them.
std::span<const dicom::Tag> info_columns() noexcept;

} // namespace dcmpipe::retrieve
