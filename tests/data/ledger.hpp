#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace studies {

/// What kind of identity a string gives away; `identities.json` names it, so that a search can choose.
enum class Identity { Name, Id, Date, Time, Address, Phone, Text, Institution, Device, Uid };

/// What was written beside the images: `manifest.json` (which file holds what) and `identities.json` (which
/// strings must not be found after de-identification).
class Ledger {
public:
    struct Value {
        Identity kind;
        std::string keyword; ///< of the attribute, or a word for where it stands
        std::string utf8;
        std::string bytes;                          ///< as written
        std::optional<std::string> character_set{}; ///< that the bytes are whole in; none for a part
    };
    /// A value as it was written. Given twice it counts once.
    void identity(std::string_view patient_id, const Value& value);

    struct Instance {
        std::string path; ///< relative to the output folder
        std::string what; ///< what it exercises: `ct`, `rle`
        std::string patient_id;
        std::string study_uid;
        std::string series_uid;
        std::string instance_uid;
        std::string sop_class_uid;
        std::string transfer_syntax;
        std::vector<std::string> references; ///< instances that it names
    };
    void instance(Instance instance) { instances_.push_back(std::move(instance)); }

    /// Writes both files into `folder`. Throws std::runtime_error.
    void write(const std::filesystem::path& folder, std::uint64_t seed) const;

private:
    std::vector<std::pair<std::string, Value>> identities_; ///< with the patient's ID
    std::set<std::pair<std::string, std::string>> known_;
    std::vector<Instance> instances_;
};

} // namespace studies
