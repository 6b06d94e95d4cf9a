#pragma once

#include "deid/action.hpp"
#include "deid/option.hpp"
#include "deid/pixels/rules.hpp"
#include "deid/selector.hpp"
#include "deid/text_cleaner.hpp"
#include "dicom/match.hpp"
#include "pseudonym/map.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// What an action makes of a text may depend on who asks.
struct EditContext {
    const pseudonym::Key& key;
    const pseudonym::Patient& patient;
};

/// One rule of a profile.
struct Rule {
    Selector selector;
    Action action = Action::Remove;
    /// Of Action::Edit: the new text (UTF-8) of one value; nothing where the value is none it can read.
    std::function<std::optional<std::string>(std::string_view value, const EditContext& context)> edit;
    /// Of Action::Clean: the words that may stay; empty: all that name nobody.
    std::shared_ptr<const Vocabulary> vocabulary;
    std::string where; ///< `line 12, column 5`: for --explain
};

/// Instances that are kept back whole.
struct Rejection {
    dicom::Condition when;
    dicom::Condition unless;
    bool unless_pixels_cleaned = false;
    std::string reason;
};

/// What is kept of private attributes.
enum class PrivateAttributes {
    Remove,
    Safe, ///< those of PS3.15 Table E.3.10-1, by creator
    Keep, ///< all, as far as the net by value representation lets them
};

/// How to de-identify: PS3.15 Table E.1-1, its options, and rules of one's own. Read whole and checked before
/// the first file; immutable afterwards.
struct Profile {
    std::string name = "basic";
    std::string digest; ///< SHA-256 of its text, in hexadecimal
    Options options;
    PrivateAttributes private_attributes = PrivateAttributes::Remove;
    bool keep_unknown_attributes = false;

    pseudonym::CodeForm code;
    std::string patient_name = "{code}"; ///< {code} stands for the patient's code
    std::string default_issuer;          ///< of Patient IDs that name none

    pseudonym::ShiftRange shift;
    bool shift_device_dates = true; ///< a device's dates that stayed would tell the shift of the others

    std::vector<Rejection> rejections;
    std::vector<Rule> rules;
    std::vector<PixelRule> pixels; ///< its own; Option::CleanPixelData adds device_rules()

    bool encrypts() const; ///< one of its rules does
    bool paints() const { return !pixels.empty() || options.has(Option::CleanPixelData); }
};

/// A built-in profile, or a JSON file. Throws Error{Usage} with line and column for whatever is wrong in it.
Profile load_profile(std::string_view name_or_path);

/// From text; `folder` is where the files that it names are looked for.
Profile parse_profile(std::string_view name, std::string_view text, const std::filesystem::path& folder);

/// The names of the built-in profiles.
std::vector<std::string_view> built_in_profiles();

/// Adds an option as --retain-... and --clean-... do. Throws Error{Usage} where it excludes another.
void add_option(Profile& profile, Option option);

} // namespace dcmpipe::deid
