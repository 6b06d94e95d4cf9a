#pragma once

#include "pseudonym/key.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::pseudonym {

/// The log of who saw whose identity: lines of JSON, each with a MAC under the project key over itself and
/// the MAC of the line before, so that a line changed, taken out or moved shows. Several processes may append
/// at once. It names nobody but by pseudonym.
class AuditLog {
public:
    AuditLog(std::filesystem::path path, const Key& key) : path_(std::move(path)), key_(key) {}

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

    /// Checks every line. A log that does not exist has no lines and no faults.
    Verdict verify() const;

private:
    std::filesystem::path path_;
    Key key_;
    std::set<std::vector<std::string>> written_;
};

/// `link.audit.jsonl` for `link.db`.
std::filesystem::path default_audit_log(const std::filesystem::path& map);

} // namespace dcmpipe::pseudonym
