#pragma once

#include "dicom/instance.hpp"
#include "pseudonym/originals.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace dcmpipe::deid {

/// Originals that another system kept: the DICOM Receiver's patient_info_map.json (both forms: an attribute's
/// original by Study Instance UID), or an identity.db of dicom-anon or ruby-dicom (an original for each
/// replaced value). Immutable; any thread may use it.
class ForeignMap {
public:
    /// Throws Error{Usage} where the file is neither.
    explicit ForeignMap(const std::filesystem::path& file);

    /// What this instance was, as far as the other system kept it; encoded as the instance is. Nothing where
    /// it knows nothing of the instance. Throws Error{Refused} where an original cannot be written in the
    /// instance's character set.
    std::optional<pseudonym::RecalledOriginals> recall(const dicom::Instance& instance) const;

private:
    using Values = std::map<dicom::Tag, std::string>;

    std::map<std::string, Values> by_study_;                            ///< originals by Study Instance UID
    std::map<dicom::Tag, std::map<std::string, std::string>> by_value_; ///< originals by what replaced them
};

} // namespace dcmpipe::deid
