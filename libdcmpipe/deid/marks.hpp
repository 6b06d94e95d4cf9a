#pragma once

#include "deid/profile.hpp"
#include "dicom/instance.hpp"

#include <string>
#include <vector>

namespace dcmpipe::deid {

/// A top-level attribute that says what was done.
struct Mark {
    dicom::Tag tag;
    dicom::Vr vr;
    std::string value; ///< encoded as the data set is
};

/// PS3.15 §E.1.1: (0012,0062), (0012,0063), (0012,0064) and (0028,0303) for an instance de-identified by this
/// profile, whose pixels were cleaned or not. What an earlier de-identification said of itself stays in
/// front.
std::vector<Mark> marks_of(const Profile& profile, const dicom::Instance& instance, bool pixels_cleaned);

} // namespace dcmpipe::deid
