#pragma once

#include <bitset>
#include <optional>
#include <span>
#include <string_view>

namespace dcmpipe::deid {

/// The options of PS3.15 §E.3. The first ones stand in the order of the columns of Table E.1-1.
enum class Option {
    RetainSafePrivate,
    RetainUids,
    RetainDeviceIdentity,
    RetainInstitutionIdentity,
    RetainPatientCharacteristics,
    RetainLongitudinalFullDates,
    RetainLongitudinalModifiedDates,
    CleanDescriptors,
    CleanStructuredContent,
    CleanGraphics,
    CleanPixelData, ///< has no column: see pixel rules
};
inline constexpr std::size_t option_columns = 10;

class Options {
public:
    bool has(Option option) const { return set_[static_cast<std::size_t>(option)]; }
    void add(Option option) { set_.set(static_cast<std::size_t>(option)); }
    bool any() const { return set_.any(); }

private:
    std::bitset<11> set_;
};

/// What the standard calls an option, and its code for (0012,0064) (PS3.16 CID 7050).
struct OptionName {
    Option option;
    std::string_view name; ///< `retain-uids`
    std::string_view code;
    std::string_view meaning;
};

std::span<const OptionName> option_names() noexcept;

std::optional<Option> option_from(std::string_view name) noexcept;

} // namespace dcmpipe::deid
