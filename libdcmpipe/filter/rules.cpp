#include "filter/rules.hpp"

#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::filter {

std::string_view to_string(Fate fate)
{
    constexpr std::array<std::string_view, 3> names{"kept", "rejected", "quarantined"};
    return names.at(static_cast<std::size_t>(fate));
}

Verdict RuleSet::judge(const Subject& subject) const
{
    const auto any = [&](const std::vector<Condition>& conditions) {
        return std::any_of(
            conditions.begin(), conditions.end(), [&](const Condition& one) { return one.holds(subject); });
    };
    for (const auto& rule : rules_) {
        if ((rule.when.empty() || any(rule.when)) && !any(rule.unless)) {
            return {rule.fate, rule.reason};
        }
    }
    return {};
}

dicom::Tag RuleSet::last_tag() const
{
    dicom::Tag last;
    for (const auto& rule : rules_) {
        for (const auto* const conditions : {&rule.when, &rule.unless}) {
            for (const auto& condition : *conditions) {
                last = std::max(last, condition.last_tag());
            }
        }
    }
    return last;
}

Verdict Filter::judge(const dicom::Instance& instance) const
{
    if (instance.sop_class_uid() == dicom::uid::MediaStorageDirectoryStorage) {
        return {Fate::Reject, "a DICOMDIR, no instance"};
    }
    const Subject subject{instance};
    Verdict worst;
    for (const auto& set : sets_) {
        const auto verdict = set.judge(subject);
        if (verdict.fate > worst.fate) {
            worst = verdict;
        }
    }
    return worst;
}

dicom::Tag Filter::last_tag() const
{
    auto last = dicom::tags::SeriesInstanceUID;
    for (const auto& set : sets_) {
        last = std::max(last, set.last_tag());
    }
    return last;
}

} // namespace dcmpipe::filter
