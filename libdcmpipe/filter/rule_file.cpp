#include "core/error.hpp"
#include "core/json_file.hpp"
#include "filter/rules.hpp"
#include "filter/uid_list.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::filter {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct ReadyMade {
    std::string_view name;
    std::string_view text;
};

constexpr ReadyMade ready_made[] = {
#include "filter/ready_made_rules.inc"
};

constexpr std::array<std::pair<std::string_view, Fate>, 3> fates{
    {{"keep", Fate::Keep}, {"reject", Fate::Reject}, {"quarantine", Fate::Quarantine}}};

/// A rule file's text on its way to a RuleSet.
class Reader {
public:
    Reader(const JsonText& text, fs::path folder) : text_(text), folder_(std::move(folder)) {}

    RuleSet read()
    {
        const auto& root = text_.root();
        check_keys(root, "", {"dcmpipe-filter", "about", "rules"});
        if (root.value("dcmpipe-filter", json{}) != 1) {
            text_.fail(
                root.contains("dcmpipe-filter") ? "/dcmpipe-filter" : "", "'dcmpipe-filter' must be 1");
        }
        const auto rules = root.find("rules");
        if (rules == root.end() || !rules->is_array()) {
            text_.fail(rules == root.end() ? "" : "/rules", "'rules' must be a list");
        }
        std::vector<Rule> read;
        for (std::size_t i = 0; i < rules->size(); ++i) {
            read.push_back(read_rule((*rules)[i], i));
        }
        return RuleSet{std::move(read)};
    }

private:
    void check_keys(
        const json& object, const std::string& pointer, std::initializer_list<std::string_view> known) const
    {
        if (!object.is_object()) {
            text_.fail(pointer, "must be an object");
        }
        for (const auto& [key, value] : object.items()) {
            if (std::find(known.begin(), known.end(), key) == known.end()) {
                text_.fail(fmt::format("{}/{}", pointer, key), fmt::format("unknown key '{}'", key));
            }
        }
    }

    /// Runs `read`, whose errors are reasons alone, and says where it failed.
    template <class Read>
    auto told(const std::string& pointer, Read read) const
    {
        try {
            return read();
        } catch (const Error& error) {
            text_.fail(pointer, error.reason());
        }
    }

    Rule read_rule(const json& object, std::size_t number)
    {
        const auto pointer = fmt::format("/rules/{}", number);
        check_keys(object, pointer, {"keep", "reject", "quarantine", "unless", "reason"});
        Rule rule;
        std::size_t named = 0;
        for (const auto& [word, fate] : fates) {
            if (const auto found = object.find(word); found != object.end()) {
                rule.fate = fate;
                if (*found != "any") {
                    rule.when = read_conditions(*found, fmt::format("{}/{}", pointer, word));
                }
                ++named;
            }
        }
        if (named != 1) {
            text_.fail(pointer, "must have one of 'keep', 'reject' and 'quarantine'");
        }
        if (const auto unless = object.find("unless"); unless != object.end()) {
            rule.unless = read_conditions(*unless, pointer + "/unless");
        }
        const auto reason = object.value("reason", json(fmt::format("rule {}", number + 1)));
        if (!reason.is_string()) {
            text_.fail(pointer + "/reason", "must be a text");
        }
        rule.reason = reason.get<std::string>();
        return rule;
    }

    std::vector<Condition> read_conditions(const json& value, const std::string& pointer)
    {
        if (value.is_object()) {
            return {read_condition(value, pointer)};
        }
        if (!value.is_array() || value.empty()) {
            text_.fail(pointer, "must be a condition or a list of them");
        }
        std::vector<Condition> conditions;
        for (std::size_t i = 0; i < value.size(); ++i) {
            conditions.push_back(read_condition(value[i], fmt::format("{}/{}", pointer, i)));
        }
        return conditions;
    }

    Condition read_condition(const json& object, const std::string& pointer)
    {
        if (!object.is_object() || object.empty()) {
            text_.fail(pointer, "must be an object of attributes and what they must be");
        }
        Condition condition;
        for (const auto& [key, value] : object.items()) {
            const auto at = fmt::format("{}/{}", pointer, key);
            condition.add(key == "uids" ? read_uids(value, at) : read_term(key, value, at));
        }
        return condition;
    }

    /// The UIDs of a file stand for a term that any of their levels fulfils.
    Condition::Term read_uids(const json& value, const std::string& pointer)
    {
        if (!value.is_string()) {
            text_.fail(pointer, "must be the name of a file of UIDs");
        }
        return uids_of(folder_ / value.get<std::string>());
    }

    Condition::Term read_term(const std::string& key, const json& value, const std::string& pointer)
    {
        Condition::Term term;
        const bool by_name = key == "SOPClass";
        term.where.push_back(told(pointer, [&] { return Attribute::parse(by_name ? "SOPClassUID" : key); }));
        auto* const is = by_name ? &sop_class : &filter::pattern;
        if (!value.is_object()) {
            each_text(value, pointer, [&](std::string text) { term.any.push_back(is(std::move(text))); });
            return term;
        }
        check_keys(value, pointer, {"is", "matches", "present"});
        if (const auto found = value.find("is"); found != value.end()) {
            each_text(
                *found, pointer + "/is", [&](std::string text) { term.any.push_back(is(std::move(text))); });
        }
        if (const auto found = value.find("matches"); found != value.end()) {
            each_text(*found, pointer + "/matches", [&](const std::string& text) {
                term.any.push_back(told(pointer + "/matches", [&] { return expression(text); }));
            });
        }
        if (const auto found = value.find("present"); found != value.end()) {
            if (!found->is_boolean()) {
                text_.fail(pointer + "/present", "must be true or false");
            }
            term.present = found->get<bool>();
        }
        if (value.empty()) {
            text_.fail(pointer, "must have 'is', 'matches' or 'present'");
        }
        return term;
    }

    template <class Take>
    void each_text(const json& value, const std::string& pointer, Take take)
    {
        const auto list = value.is_array() ? value : json::array({value});
        if (list.empty()) {
            text_.fail(pointer, "an empty list fits nothing");
        }
        for (const auto& one : list) {
            if (!one.is_string() && !one.is_number_integer()) {
                text_.fail(pointer, "must be a text or a list of texts");
            }
            take(one.is_string() ? one.get<std::string>() : one.dump());
        }
    }

    const JsonText& text_;
    fs::path folder_;
};

} // namespace

std::vector<std::string_view> ready_made_names()
{
    std::vector<std::string_view> names;
    std::transform(
        std::begin(ready_made), std::end(ready_made), std::back_inserter(names),
        [](const ReadyMade& one) { return one.name; });
    return names;
}

std::string_view ready_made_rules(std::string_view name)
{
    for (const auto& one : ready_made) {
        if (one.name == name) {
            return one.text;
        }
    }
    throw Error{
        ErrorKind::Usage,
        fmt::format(
            "no ready-made rules are named '{}': there are {}", name, fmt::join(ready_made_names(), ", "))};
}

RuleSet parse_rules(std::string_view name, std::string_view text, const fs::path& folder)
{
    const auto source = JsonText::from_text("the rules", name, text);
    return Reader{source, folder}.read();
}

RuleSet load_rules(std::string_view name_or_path)
{
    const auto names = ready_made_names();
    if (std::find(names.begin(), names.end(), name_or_path) != names.end()) {
        return parse_rules(name_or_path, ready_made_rules(name_or_path), {});
    }
    const fs::path path{name_or_path};
    std::error_code ignored;
    if (!path.has_parent_path() && !fs::exists(path, ignored) && !path.has_extension()) {
        ready_made_rules(name_or_path); // says which there are
    }
    const auto source = JsonText::from_file("the rules", path);
    return Reader{source, path.parent_path()}.read();
}

} // namespace dcmpipe::filter
