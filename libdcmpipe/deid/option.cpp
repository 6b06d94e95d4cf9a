#include "deid/option.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::deid {

namespace {

constexpr std::array<OptionName, 11> names{{
    {Option::CleanPixelData, "clean-pixel-data", "113101", "Clean Pixel Data Option"},
    {Option::CleanGraphics, "clean-graphics", "113103", "Clean Graphics Option"},
    {Option::CleanStructuredContent, "clean-structured-content", "113104", "Clean Structured Content Option"},
    {Option::CleanDescriptors, "clean-descriptors", "113105", "Clean Descriptors Option"},
    {Option::RetainLongitudinalFullDates, "retain-longitudinal-full-dates", "113106",
     "Retain Longitudinal Temporal Information Full Dates Option"},
    {Option::RetainLongitudinalModifiedDates, "retain-longitudinal-modified-dates", "113107",
     "Retain Longitudinal Temporal Information Modified Dates Option"},
    {Option::RetainPatientCharacteristics, "retain-patient-characteristics", "113108",
     "Retain Patient Characteristics Option"},
    {Option::RetainDeviceIdentity, "retain-device-identity", "113109", "Retain Device Identity Option"},
    {Option::RetainUids, "retain-uids", "113110", "Retain UIDs Option"},
    {Option::RetainSafePrivate, "retain-safe-private", "113111", "Retain Safe Private Option"},
    {Option::RetainInstitutionIdentity, "retain-institution-identity", "113112",
     "Retain Institution Identity Option"},
}};

} // namespace

std::span<const OptionName> option_names() noexcept
{
    return names;
}

std::optional<Option> option_from(std::string_view name) noexcept
{
    const auto* const found =
        std::find_if(names.begin(), names.end(), [&](const OptionName& n) { return n.name == name; });
    return found != names.end() ? std::optional{found->option} : std::nullopt;
}

} // namespace dcmpipe::deid
