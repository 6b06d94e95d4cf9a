#pragma once

#include "dicom/instance.hpp"
#include "pseudonym/key.hpp"

#include <string>

namespace dcmpipe::deid {

/// Whom an instance shows, as its data set says.
struct Subject {
    pseudonym::PatientIdentity identity;
    /// The data set has no Patient ID: the Study Instance UID (or else the SOP Instance UID) stands in, so
    /// that two nameless patients never become one.
    bool anonymous = false;
    /// What an authorised person will want to see of the patient, as JSON: sealed in the map.
    std::string particulars;
};

/// Reads the patient module of the data set; values in UTF-8, without padding. `default_issuer` stands for
/// an issuer that the data set does not name.
Subject subject_of(const dicom::Instance& instance, const std::string& default_issuer = {});

} // namespace dcmpipe::deid
