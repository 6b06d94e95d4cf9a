#include "retrieve/profile.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::retrieve {

namespace {

using nlohmann::json;

struct BuiltIn {
    std::string_view name;
    std::string_view text;
};

constexpr std::array built_ins{
    // As PACSIFIER talks to the archive that it was made for: queries for series without a study, and C-MOVE
    // at
    // patient level with the UIDs of what is wanted.
    BuiltIn{"carestream-chuv", R"({"operations": ["move"], "patient_level": true, "relational": true})"},
};

std::vector<Operation> operations_from(const json& value)
{
    std::vector<Operation> operations;
    for (const auto& one : value.is_array() ? value : json::array({value})) {
        const auto name = one.get<std::string>();
        if (name != "get" && name != "move") {
            throw Error{ErrorKind::Usage, "an operation is get or move"};
        }
        operations.push_back(name == "get" ? Operation::Get : Operation::Move);
    }
    return operations;
}

template <class Number>
Number positive(const json& value)
{
    const auto number = value.get<double>();
    if (number < 0) {
        throw Error{ErrorKind::Usage, "not a number of 0 or more"};
    }
    return static_cast<Number>(number);
}

struct Member {
    std::string_view name;
    void (*take)(Profile& profile, const json& value);
};

constexpr std::array members{
    Member{"operations", [](Profile& p, const json& v) { p.operations = operations_from(v); }},
    Member{"patient_level", [](Profile& p, const json& v) { p.patient_level = v.get<bool>(); }},
    Member{"relational", [](Profile& p, const json& v) { p.relational = v.get<bool>(); }},
    Member{"lists_images", [](Profile& p, const json& v) { p.lists_images = v.get<bool>(); }},
    Member{"wildcards", [](Profile& p, const json& v) { p.wildcards = v.get<bool>(); }},
    Member{"max_answers", [](Profile& p, const json& v) { p.most_answers = positive<std::uint64_t>(v); }},
    Member{"max_uids", [](Profile& p, const json& v) { p.most_uids = positive<std::uint64_t>(v); }},
    Member{"character_set", [](Profile& p, const json& v) { p.character_set = v.get<std::string>(); }},
    Member{
        "answer_character_set",
        [](Profile& p, const json& v) { p.answer_character_set = v.get<std::string>(); }},
    Member{"linger", [](Profile& p, const json& v) { p.linger = positive<double>(v); }},
    Member{"parallel", [](Profile& p, const json& v) { p.parallel = positive<unsigned>(v); }},
    Member{"gap", [](Profile& p, const json& v) { p.gap = positive<double>(v); }},
    Member{"comment", [](Profile&, const json&) {}},
};

Profile profile_from(const JsonText& text, const json& object, const std::string& place)
{
    if (!object.is_object()) {
        text.fail(place, "not a profile");
    }
    Profile profile;
    for (const auto& [key, value] : object.items()) {
        const auto where = fmt::format("{}/{}", place, key);
        const auto member = std::find_if(
            members.begin(), members.end(), [&name = key](const Member& one) { return one.name == name; });
        if (member == members.end()) {
            text.fail(where, "a profile has no such member");
        }
        try {
            member->take(profile, value);
        } catch (const json::exception&) {
            text.fail(where, "a value of another kind is needed");
        } catch (const Error& error) {
            text.fail(where, error.reason());
        }
    }
    return profile;
}

std::optional<Profile> built_in(std::string_view name)
{
    for (const auto& one : built_ins) {
        if (one.name == name) {
            const auto text = JsonText::from_text("the profile", name, one.text);
            return profile_from(text, text.root(), "");
        }
    }
    return std::nullopt;
}

} // namespace

Profile merged(Profile first, const Profile& second)
{
    const auto fill = [](auto& value, const auto& otherwise) {
        if (!value) {
            value = otherwise;
        }
    };
    if (first.operations.empty()) {
        first.operations = second.operations;
    }
    fill(first.patient_level, second.patient_level);
    fill(first.relational, second.relational);
    fill(first.lists_images, second.lists_images);
    fill(first.wildcards, second.wildcards);
    fill(first.most_answers, second.most_answers);
    fill(first.most_uids, second.most_uids);
    fill(first.character_set, second.character_set);
    fill(first.answer_character_set, second.answer_character_set);
    fill(first.linger, second.linger);
    fill(first.parallel, second.parallel);
    fill(first.gap, second.gap);
    return first;
}

Profile read_profile(const std::string& name_or_file)
{
    if (const auto profile = built_in(name_or_file)) {
        return *profile;
    }
    const auto text = JsonText::from_file("the profile", name_or_file);
    return profile_from(text, text.root(), "");
}

std::optional<Profile> profile_of_node(
    const std::filesystem::path& nodes_file, std::string_view name, std::string_view aet)
{
    const auto text = JsonText::from_file("the nodes", nodes_file);
    const auto profiles = text.root().is_object() ? text.root().find("profiles") : text.root().end();
    if (profiles == text.root().end() || !profiles->is_object()) {
        return std::nullopt;
    }
    for (const auto key : {name, aet}) {
        const auto found = profiles->find(std::string{key});
        if (found == profiles->end()) {
            continue;
        }
        const auto place = fmt::format("/profiles/{}", key);
        if (found->is_string()) {
            auto profile = built_in(found->get<std::string>());
            if (!profile) {
                text.fail(place, "no profile of this name");
            }
            return profile;
        }
        return profile_from(text, *found, place);
    }
    return std::nullopt;
}

} // namespace dcmpipe::retrieve
