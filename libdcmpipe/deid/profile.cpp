#include "deid/profile.hpp"

#include "core/error.hpp"
#include "deid/dates.hpp"
#include "deid/json_members.hpp"
#include "deid/table.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>
#include <sodium.h>

namespace dcmpipe::deid {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct BuiltIn {
    std::string_view name;
    std::string_view text;
};

constexpr BuiltIn built_ins[] = {
#include "deid/built_in_profiles.inc"
};

using Edit = decltype(Rule::edit);

std::string replaced_all(std::string text, std::string_view from, std::string_view to)
{
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// A profile's text on its way to a Profile.
class Reader {
public:
    Reader(JsonText text, fs::path folder) : text_(std::move(text)), folder_(std::move(folder)) {}

    Profile read()
    {
        Members members{text_, text_.root(), ""};
        if (members.number("dcmpipe-profile", 0) != 1) {
            text_.fail("/dcmpipe-profile", "'dcmpipe-profile' must be 1");
        }
        if (members.text("base", "basic") != "basic") {
            members.fail("base", "must be basic: PS3.15's Basic Application Confidentiality Profile");
        }
        if (const auto edition = members.text("edition", std::string{table_edition});
            edition != table_edition) {
            members.fail("edition", fmt::format("is {}, but this is edition {}", edition, table_edition));
        }
        members.text("about", {});
        read_options(members);
        profile_.private_attributes = members.choice<PrivateAttributes>(
            "private-attributes", profile_.private_attributes,
            {{"remove", PrivateAttributes::Remove},
             {"safe", PrivateAttributes::Safe},
             {"keep", PrivateAttributes::Keep}});
        profile_.keep_unknown_attributes =
            members.choice<bool>("unknown-attributes", false, {{"remove", false}, {"keep", true}});
        profile_.patient_name = members.text("patient-name", profile_.patient_name);
        profile_.default_issuer = members.text("default-issuer", {});
        if (const json* const code = members.find("patient-code")) {
            read_code({text_, *code, "/patient-code"});
        }
        if (const json* const dates = members.find("dates")) {
            read_dates({text_, *dates, "/dates"});
        }
        members.each("reject", [&](Members& one) { profile_.rejections.push_back(read_rejection(one)); });
        members.each("rules", [&](Members& one) { read_rules(one); });
        members.each("pixels", [&](Members& one) { profile_.pixels.push_back(read_pixel_rule(one)); });
        members.finish();
        return std::move(profile_);
    }

private:
    void read_options(Members& members)
    {
        const json* const list = members.find("options");
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            const auto pointer = fmt::format("/options/{}", i);
            const auto name = (*list)[i].is_string() ? (*list)[i].get<std::string>() : std::string{};
            const auto option = option_from(name);
            if (!option) {
                text_.fail(pointer, fmt::format("'{}' is no option of PS3.15 §E.3", name));
            }
            try {
                add_option(profile_, *option);
            } catch (const Error& error) {
                text_.fail(pointer, error.what());
            }
        }
    }

    void read_code(Members members)
    {
        using Kind = pseudonym::CodeForm::Kind;
        profile_.code.kind = members.choice<Kind>(
            "kind", Kind::Sequential, {{"sequential", Kind::Sequential}, {"keyed", Kind::Keyed}});
        const auto format = members.text("format", profile_.code.kind == Kind::Keyed ? "{}" : "sub-{:03}");
        const auto open = format.find('{');
        const auto close = format.find('}');
        unsigned digits = 1;
        const bool good = open != format.npos && close == format.size() - 1 &&
                          (format.substr(open, close - open + 1) == "{}" ||
                           (format.compare(open, 3, "{:0") == 0 &&
                            std::from_chars(format.data() + open + 3, format.data() + close, digits).ptr ==
                                format.data() + close));
        if (!good || digits > 12) {
            members.fail("format", "must end in {} or {:0N}: sub-{:03}");
        }
        profile_.code.prefix = format.substr(0, open);
        profile_.code.digits = digits;
        members.finish();
    }

    void read_dates(Members members)
    {
        auto& shift = profile_.shift;
        shift.min_weeks = members.number("min-weeks", shift.min_weeks);
        shift.max_weeks = members.number("max-weeks", shift.max_weeks);
        if (shift.min_weeks == 0 || shift.max_weeks < shift.min_weeks || shift.max_weeks > 5200) {
            members.fail("max-weeks", "and 'min-weeks' must be 1 to 5200, the lower one first");
        }
        profile_.shift_device_dates =
            members.choice<bool>("device-dates", true, {{"shift", true}, {"keep", false}});
        enum class Birth { Empty, Year, Shift };
        const auto birth = members.choice<Birth>(
            "birth-date", Birth::Empty,
            {{"empty", Birth::Empty}, {"year", Birth::Year}, {"shift", Birth::Shift}});
        const auto selector = Selector::parse("PatientBirthDate");
        if (birth == Birth::Shift) {
            profile_.rules.push_back({selector, Action::Shift, {}, {}, "birth-date: shift"});
        } else if (birth == Birth::Year) {
            const Edit year = [](std::string_view value, const EditContext&) {
                return truncate_da(value, false);
            };
            profile_.rules.push_back({selector, Action::Edit, year, {}, "birth-date: year"});
        }
        members.finish();
    }

    Rejection read_rejection(Members& members)
    {
        Rejection rejection;
        const json* const when = members.find("when");
        if (when == nullptr || when->empty()) {
            members.fail("when", "must say of which instances");
        }
        rejection.when = members.condition("when");
        if (const json* const unless = members.find("unless")) {
            if (*unless == "pixel-rule") {
                rejection.unless_pixels_cleaned = true;
            } else {
                rejection.unless = members.condition("unless");
            }
        }
        rejection.reason = members.text("reason", "kept back by the profile");
        return rejection;
    }

    Selector read_selector(Members& members)
    {
        const json* const tag = members.find("tag");
        const json* const path = members.find("path");
        const json* const vr = members.find("vr");
        if ((tag != nullptr) + (path != nullptr) + (vr != nullptr) != 1) {
            members.fail("tag", "or 'path' or 'vr' must say which attributes, one of them");
        }
        const std::string key = tag != nullptr ? "tag" : path != nullptr ? "path" : "vr";
        const auto word = members.text(key, {});
        return members.at(key, [&] { return key == "vr" ? Selector::of_vr(word) : Selector::parse(word); });
    }

    /// One rule, or one for each of its tags.
    void read_rules(Members& members)
    {
        ++rules_read_;
        const json* const tags = members.find("tags");
        if (tags == nullptr) {
            profile_.rules.push_back(read_rule(members, read_selector(members)));
            return;
        }
        for (std::size_t i = 0; i < tags->size(); ++i) {
            const auto pointer = fmt::format("tags/{}", i);
            const json* const tag = tags->is_array() ? &(*tags)[i] : tags;
            if (!tag->is_string()) {
                members.fail("tags", "must be a list of tags");
            }
            const auto selector =
                members.at(pointer, [&] { return Selector::parse(tag->get_ref<const std::string&>()); });
            profile_.rules.push_back(read_rule(members, selector));
        }
    }

    Rule read_rule(Members& members, Selector selector)
    {
        Rule rule{std::move(selector), Action::Remove, {}, {}, {}};
        const auto action = members.required_text("action");
        rule.action = read_action(action, members, rule);
        if (!applies_to(rule.action, rule.selector.vr())) {
            members.fail(
                "action", fmt::format("{} makes no sense for VR {}", action, to_string(rule.selector.vr())));
        }
        rule.where = fmt::format("rule {} of the profile", rules_read_);
        return rule;
    }

    Action read_action(const std::string& word, Members& members, Rule& rule)
    {
        for (const auto action :
             {Action::Keep, Action::Remove, Action::Empty, Action::Dummy, Action::Uid, Action::Shift,
              Action::AgeCap, Action::Code, Action::Encrypt, Action::Reject}) {
            if (name_of(action) == word) {
                return action;
            }
        }
        if (word == "recurse") {
            return Action::Keep;
        }
        if (word == "clean") {
            if (const auto file = members.text("vocabulary", {}); !file.empty()) {
                rule.vocabulary = members.at("vocabulary", [&] {
                    return std::make_shared<const Vocabulary>(read_vocabulary(folder_ / file));
                });
            }
            return Action::Clean;
        }
        rule.edit = read_edit(word, members);
        return Action::Edit;
    }

    Edit read_edit(const std::string& word, Members& members)
    {
        if (word == "replace") {
            const auto value = members.required_text("value");
            return [value](std::string_view, const EditContext& context) {
                return std::optional{replaced_all(value, "{code}", context.patient.code)};
            };
        }
        if (word == "hash") {
            return [](std::string_view value, const EditContext& context) {
                return std::optional{context.key.text_token(value)};
            };
        }
        if (word == "truncate-date") {
            const bool month = members.choice<bool>("to", false, {{"year", false}, {"month", true}});
            return [month](std::string_view value, const EditContext&) { return truncate_da(value, month); };
        }
        if (word == "map") {
            return read_map(members);
        }
        if (word == "regex") {
            return read_regex(members);
        }
        members.fail("action", fmt::format("'{}' is no action", word));
    }

    /// A table of old and new texts; what it does not have is not known to be safe.
    Edit read_map(Members& members)
    {
        const auto file = members.required_text("file");
        auto table = std::make_shared<std::map<std::string, std::string, std::less<>>>();
        const auto values =
            members.at("file", [&] { return JsonText::from_file("the table", folder_ / file); });
        for (const auto& [key, value] : values.root().items()) {
            if (!value.is_string()) {
                values.fail("/" + key, "must be a text");
            }
            table->emplace(key, value.get<std::string>());
        }
        return [table](std::string_view value, const EditContext&) {
            const auto found = table->find(value);
            return found != table->end() ? std::optional{found->second} : std::nullopt;
        };
    }

    /// RE2: linear in time whatever the pattern. A value that does not match is not known to be safe.
    Edit read_regex(Members& members)
    {
        const auto pattern = members.required_text("pattern");
        const auto with = members.required_text("with");
        auto expression = std::make_shared<RE2>(pattern, RE2::Quiet);
        std::string why;
        if (!expression->ok() || !expression->CheckRewriteString(with, &why)) {
            members.fail("pattern", expression->ok() ? why : expression->error());
        }
        return [expression,
                with](std::string_view value, const EditContext& context) -> std::optional<std::string> {
            std::string text{value};
            if (RE2::GlobalReplace(&text, *expression, with) == 0) {
                return std::nullopt;
            }
            return replaced_all(text, "{code}", context.patient.code);
        };
    }

    JsonText text_;
    fs::path folder_;
    Profile profile_;
    std::size_t rules_read_ = 0;
};

std::string sha256(std::string_view text)
{
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest;
    ::crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

} // namespace

bool Profile::encrypts() const
{
    return std::any_of(
        rules.begin(), rules.end(), [](const Rule& rule) { return rule.action == Action::Encrypt; });
}

void add_option(Profile& profile, Option option)
{
    const auto excludes = [&](Option one, Option other) {
        if (option == one && profile.options.has(other)) {
            throw Error{
                ErrorKind::Usage,
                "retain-longitudinal-full-dates and retain-longitudinal-modified-dates exclude each other"};
        }
    };
    excludes(Option::RetainLongitudinalFullDates, Option::RetainLongitudinalModifiedDates);
    excludes(Option::RetainLongitudinalModifiedDates, Option::RetainLongitudinalFullDates);
    profile.options.add(option);
    if (option == Option::RetainSafePrivate) {
        profile.private_attributes = PrivateAttributes::Safe;
    }
}

Profile parse_profile(std::string_view name, std::string_view text, const fs::path& folder)
{
    auto profile = Reader{JsonText::from_text("the profile", name, text), folder}.read();
    profile.name = fs::path{name}.stem().string();
    profile.digest = sha256(text);
    return profile;
}

Profile load_profile(std::string_view name_or_path)
{
    for (const auto& [name, text] : built_ins) {
        if (name == name_or_path) {
            return parse_profile(name, text, {});
        }
    }
    const fs::path path{name_or_path};
    try {
        return parse_profile(name_or_path, read_text_file(path), path.parent_path());
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::Usage) {
            throw;
        }
        throw Error{
            ErrorKind::Usage, "cannot read the profile", name_or_path,
            fmt::format("{}; built in are {}", error.reason(), fmt::join(built_in_profiles(), ", "))};
    }
}

std::vector<std::string_view> built_in_profiles()
{
    std::vector<std::string_view> names;
    for (const auto& built_in : built_ins) {
        names.push_back(built_in.name);
    }
    return names;
}

} // namespace dcmpipe::deid
