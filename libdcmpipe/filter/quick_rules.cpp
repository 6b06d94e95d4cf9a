#include "filter/quick_rules.hpp"

#include "core/error.hpp"
#include "dicom/tags.hpp"
#include "filter/uid_list.hpp"

namespace dcmpipe::filter {

namespace {

Condition modality_in(std::string_view option, std::string_view list)
{
    Condition::Term term;
    term.where.emplace_back(dicom::tags::Modality);
    for (std::size_t start = 0; start <= list.size();) {
        const auto end = std::min(list.find(',', start), list.size());
        const auto one = list.substr(start, end - start);
        if (one.empty() || one.find(' ') != one.npos) {
            throw Error{ErrorKind::Usage, std::string{option} + ": a list of modalities looks like CT,MR"};
        }
        term.any.push_back(pattern(std::string{one}));
        start = end + 1;
    }
    Condition condition;
    condition.add(std::move(term));
    return condition;
}

Condition condition_of(Condition::Term term)
{
    Condition condition;
    condition.add(std::move(term));
    return condition;
}

} // namespace

void add_quick_rules(Filter& filter, const QuickRules& quick)
{
    std::vector<Rule> rules;
    if (!quick.modalities.empty()) {
        rules.push_back(
            {.unless = {modality_in("--modality", quick.modalities)}, .reason = "a modality not asked for"});
    }
    if (!quick.not_modalities.empty()) {
        rules.push_back(
            {.when = {modality_in("--not-modality", quick.not_modalities)},
             .reason = "a modality that is left out"});
    }
    if (quick.original_only) {
        rules.push_back(
            {.when = {condition_of({{Attribute{dicom::tags::ImageType}}, {}, true})},
             .unless = {condition_of({{Attribute::parse("ImageType[1]")}, {pattern("ORIGINAL*")}})},
             .reason = "not an original image"});
    }
    if (quick.uids) {
        rules.push_back({.unless = {condition_of(uids_of(*quick.uids))}, .reason = "not in the list"});
    }
    if (quick.not_uids) {
        rules.push_back({.when = {condition_of(uids_of(*quick.not_uids))}, .reason = "in the list"});
    }
    if (!rules.empty()) {
        filter.add(RuleSet{std::move(rules)});
    }
}

} // namespace dcmpipe::filter
