#pragma once

#include "filter/condition.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::filter {

/// What becomes of an instance.
enum class Fate {
    Keep,
    Reject,     ///< not wanted: no failure
    Quarantine, ///< not safe: a person should look
};

/// `kept`, `rejected`, `quarantined`.
std::string_view to_string(Fate fate);

/// One rule: it decides over an instance of which one of `when` holds (empty: any instance) and none of
/// `unless`.
struct Rule {
    Fate fate = Fate::Reject;
    std::vector<Condition> when{};
    std::vector<Condition> unless{};
    std::string reason; ///< holds no attribute value
};

struct Verdict {
    Fate fate = Fate::Keep;
    std::string_view reason{};
};

/// Rules in their order: the first one that speaks of an instance decides, and what none speaks of is kept.
class RuleSet {
public:
    explicit RuleSet(std::vector<Rule> rules) : rules_(std::move(rules)) {}

    Verdict judge(const Subject& subject) const;
    dicom::Tag last_tag() const;

private:
    std::vector<Rule> rules_;
};

/// Several rule sets: an instance is kept where each of them keeps it. Immutable once filled; any thread may
/// judge by it.
class Filter {
public:
    void add(RuleSet set) { sets_.push_back(std::move(set)); }
    bool empty() const noexcept { return sets_.empty(); }

    /// A DICOMDIR is no instance and always rejected. The reason lives as long as the filter.
    Verdict judge(const dicom::Instance& instance) const;

    /// How far a data set must be read.
    dicom::Tag last_tag() const;

private:
    std::vector<RuleSet> sets_;
};

/// A ready-made rule file by its name, or a JSON file. Throws Error{Usage} with line and column for whatever
/// is wrong in it.
RuleSet load_rules(std::string_view name_or_path);

/// From text; `folder` is where the files that it names are looked for.
RuleSet parse_rules(std::string_view name, std::string_view text, const std::filesystem::path& folder);

/// The text of a ready-made rule file. Throws Error{Usage} where there is none of that name.
std::string_view ready_made_rules(std::string_view name);
std::vector<std::string_view> ready_made_names();

} // namespace dcmpipe::filter
