#pragma once

#include "pseudonym/audit.hpp"
#include "pseudonym/map.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::pseudonym {

/// The one way from a pseudonym to a person: every look is in the audit log before anything is shown. One
/// thread at a time.
class Revealer {
public:
    Revealer(const Map& map, const RestoreKey& restore_key, AuditLog& audit, std::string program)
        : map_(map), restore_key_(restore_key), audit_(audit), program_(std::move(program))
    {
    }

    /// Tells no more than that the map has this code, or an alias of it.
    bool knows_code(std::string_view code) const { return map_.find_code(code, restore_key_).has_value(); }

    // Who it is, as JSON with the code. Each throws Error{Input} where the map knows nobody such.
    std::string by_code(std::string_view code);
    std::string by_study(std::string_view study_uid);
    std::string by_identity(const PatientIdentity& identity);

    // For an export. `why` says into what.
    std::vector<KnownPatient> all(std::string_view why);
    std::vector<KnownStudy> all_studies(std::string_view why);

    /// What an instance was; nothing where the map does not know it. A study is noted once a run.
    std::optional<RecalledOriginals> originals(std::string_view instance_uid, std::string_view study_uid);

    /// The original of a Study, Series or SOP Instance UID of the output; nothing where the map knows none.
    std::optional<std::string> original_uid(std::string_view uid);

private:
    void note(std::string_view action, const std::string& of_whom);

    const Map& map_;
    RestoreKey restore_key_;
    AuditLog& audit_;
    std::string program_;
};

} // namespace dcmpipe::pseudonym
