#pragma once

#include "deid/action.hpp"
#include "deid/iods.hpp"
#include "deid/profile.hpp"
#include "deid/selector.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dcmpipe::deid {

struct Decision {
    Action action;
    std::string_view why;       ///< which rule decided, for a person
    const Rule* rule = nullptr; ///< of the profile, where one did
    /// What is done instead where the value cannot be read as its VR wants it.
    Action otherwise = Action::Remove;
};

/// Decides what happens to each element. The most specific wins: a rule of the profile by path, by private
/// creator, by tag, by mask; then an option of PS3.15 Table E.1-1, its basic profile, the net by value
/// representation. Fails closed: what no rule knows is removed. Immutable; any thread may use it.
class Rules {
public:
    explicit Rules(Profile profile);

    Decision decide(const Place& place, const Iod& iod) const;

    const Profile& profile() const noexcept { return profile_; }

    /// What would happen to an attribute at top level of an instance of this class, and why; a line a
    /// person can read. `word` is a keyword or tag. Throws Error{Usage} where it is none.
    std::string explain(std::string_view word, std::string_view sop_class_uid) const;

private:
    const Rule* rule_for(const Place& place) const;
    Decision by_table(const TableRow& row, dicom::Tag tag, dicom::Vr vr, const Iod& iod) const;
    Decision by_vr(dicom::Tag tag, dicom::Vr vr) const;
    Decision private_element(const Place& place) const;
    static Decision by_rule(const Place& place, const Rule& rule, const Iod& iod);
    static Action without_value(const dicom::Element& element, const Iod& iod);
    bool keeps_block(const Place& creator) const;
    Decision dated(Action otherwise, std::string_view why) const;

    Profile profile_;
    std::unordered_map<std::uint32_t, std::vector<std::size_t>> rules_by_tag_; ///< private: (gggg,00ee)
    std::vector<std::size_t> other_rules_; ///< masks, private elements in paths
    std::vector<std::size_t> vr_rules_;
};

/// UIDs that name a kind of thing, not a thing: a class, a syntax, a coding scheme.
bool names_a_kind(dicom::Tag tag) noexcept;

} // namespace dcmpipe::deid
