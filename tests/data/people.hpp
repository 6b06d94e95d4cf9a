#pragma once

#include <span>
#include <string_view>

namespace studies {

/// An invented person and the invented people around them. All text is UTF-8 and can be written in the
/// person's character set; names are DICOM PN values (PS3.5 §6.2.1).
struct Person {
    std::string_view character_set; ///< (0008,0005); several values joined by backslashes
    std::string_view name;          ///< up to three component groups
    std::string_view other_name;
    std::string_view birth_name;
    std::string_view mothers_birth_name;
    std::string_view sex;
    std::string_view birth_date;
    std::string_view patient_id; ///< empty: made from the seed
    std::string_view issuer;
    std::string_view address;
    std::string_view phone;
    std::string_view occupation;
    std::string_view complaint; ///< free text with `{}` where the name belongs
    std::string_view institution;
    std::string_view institution_address;
    std::string_view department;
    std::string_view referring;
    std::string_view performing;
    std::string_view reading;
    std::string_view tech; ///< the operator
    std::string_view study_words;
};

/// In the order in which studies are made for them.
std::span<const Person> people();

} // namespace studies
