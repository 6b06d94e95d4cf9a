#pragma once

#include "pseudonym/key.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::pseudonym {

/// Where the end of a log is remembered beside it, so that lines cut off its end show.
struct AuditAnchor {
    std::function<std::string()> load; ///< empty where nothing was stored
    std::function<void(const std::string&)> store;
};

/// The log of who saw whose identity: lines of JSON, each with its number and a MAC under the project key
/// over itself and the MAC of the line before, so that a line changed, taken out or moved shows. Several
/// processes may append at once. It names nobody but by pseudonym.
class AuditLog {
public:
    AuditLog(std::filesystem::path path, const Key& key, AuditAnchor anchor = {})
        : path_(std::move(path)), key_(key), anchor_(std::move(anchor))
    {
    }

    /// Appends a line, durable before it returns: who (the user of this process), when, which program, what
    /// it does, and of whom. No log, no reveal: throws Error{Refused} where it cannot be written.
    void append(std::string_view program, std::string_view action, const std::vector<std::string>& of_whom);

    /// As append(), but what this object wrote already it does not write again: for who looks at thousands of
    /// instances of one study.
    void append_once(
        std::string_view program, std::string_view action, const std::vector<std::string>& of_whom);

    struct Verdict {
        std::uint64_t lines = 0;
        std::vector<std::string> faults; ///< what is wrong, and in which line
    };

    /// Checks every line, and that none is missing that the anchor knows of. A log that does not exist has no
    /// lines.
    Verdict verify() const;

private:
    /// The last line there is: its number and MAC.
    struct End {
        std::uint64_t number = 0;
        std::string mac{"first"};
    };

    static End last_line(std::string_view text);
    std::optional<End> remembered() const;

    std::filesystem::path path_;
    Key key_;
    AuditAnchor anchor_;
    std::set<std::vector<std::string>> written_;
};

class Map;
struct RestoreKey;

/// Remembers the end of `log` in the map, so that only who has the restore key can change it. Without the key
/// only for verify(), which then believes the map.
AuditAnchor anchor_in(Map& map, const std::filesystem::path& log, const RestoreKey* restore_key);

/// `link.audit.jsonl` for `link.db`.
std::filesystem::path default_audit_log(const std::filesystem::path& map);

} // namespace dcmpipe::pseudonym
