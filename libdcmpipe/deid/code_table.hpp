#pragma once

#include "pseudonym/key.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe::deid {

/// Codes and date shifts that somebody else gave: by Patient ID, or by the folder names that PACSIFIER makes
/// of it (`sub-` in front, other characters than letters and digits as underscores). Immutable.
class CodeTable {
public:
    CodeTable() = default;

    /// Adds the codes of a JSON object {"id": "code"}. Throws Error{Usage}: unreadable, a code that is empty,
    /// no name of a folder, or given to two patients.
    void add_codes(const std::filesystem::path& file);

    /// Adds the shifts of a JSON object {"id": days}; days as a number or its digits, added to each date.
    void add_day_shifts(const std::filesystem::path& file);

    bool has_codes() const noexcept { return !codes_.empty(); }
    bool has_day_shifts() const noexcept { return !shifts_.empty(); }

    std::optional<std::string> code_of(const pseudonym::PatientIdentity& patient) const;
    /// Days into the past, as Patient::shift_days counts them.
    std::optional<int> shift_days_of(const pseudonym::PatientIdentity& patient) const;

private:
    std::map<std::string, std::string, std::less<>> codes_;
    std::map<std::string, int, std::less<>> shifts_;
};

} // namespace dcmpipe::deid
