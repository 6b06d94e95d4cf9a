#include "cli/words.hpp"

#include "cli/suggest.hpp"
#include "core/json_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::cli {

namespace {

/// `log-file` as the environment has it: DPIPE_LOG_FILE.
std::string environment_name(std::string_view name)
{
    std::string upper = "DPIPE_";
    for (const char c : name) {
        upper += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return upper;
}

const char* environment(std::string_view name)
{
    return std::getenv(environment_name(name).c_str()); // NOLINT(concurrency-mt-unsafe): read before threads
}

bool environment_first()
{
    const char* const set = environment("precedence");
    const std::string_view precedence = set != nullptr ? set : "";
    if (!precedence.empty() && precedence != "env") {
        throw Error{ErrorKind::Usage, "wrong value for DPIPE_PRECEDENCE", precedence, "it can only be env"};
    }
    return precedence == "env";
}

/// Sets the target; the error names the word and where its text came from.
void apply(Word& word, const std::vector<std::string>& values, const std::string& origin)
{
    for (const auto& value : values) {
        try {
            word.set(value);
        } catch (const Error& error) {
            throw Error{
                ErrorKind::Usage, fmt::format("wrong value for --{} ({})", word.name, origin), value,
                error.reason()};
        }
    }
    word.given = values;
    word.origin = origin;
}

std::vector<std::string> texts_of(const nlohmann::json& value)
{
    if (value.is_array()) {
        std::vector<std::string> texts;
        for (const auto& one : value) {
            texts.push_back(one.is_string() ? one.get<std::string>() : one.dump());
        }
        return texts;
    }
    return {value.is_string() ? value.get<std::string>() : value.dump()};
}

std::string wrapped(std::string_view text, std::size_t column, std::size_t width)
{
    std::string lines;
    std::size_t used = column;
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find(' ', start), text.size());
        const auto word = text.substr(start, end - start);
        if (used > column && used + 1 + word.size() > width) {
            lines += "\n" + std::string(column, ' ');
            used = column;
        } else if (used > column) {
            lines += ' ';
            ++used;
        }
        lines += word;
        used += word.size();
        start = end + 1;
    }
    return lines;
}

} // namespace

void read_value(std::string_view text, std::string& value)
{
    value = text;
}

void read_value(std::string_view text, std::filesystem::path& value)
{
    if (text.empty()) {
        throw Error{ErrorKind::Usage, "an empty path"};
    }
    value = text;
}

void read_value(std::string_view text, bool& value)
{
    static const std::map<std::string_view, bool> known{{"true", true}, {"1", true},      {"yes", true},
                                                        {"on", true},   {"false", false}, {"0", false},
                                                        {"no", false},  {"off", false}};
    const auto found = known.find(text);
    if (found == known.end()) {
        throw Error{ErrorKind::Usage, "neither true nor false"};
    }
    value = found->second;
}

void read_value(std::string_view text, double& value)
{
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || rest != end || !std::isfinite(value) || value < 0) {
        throw Error{ErrorKind::Usage, "not a number of 0 or more"};
    }
}

void read_value(std::string_view text, Size& value)
{
    static constexpr std::string_view suffixes = "KMGT";
    const auto suffix = text.empty() ? suffixes.npos : suffixes.find(text.back());
    const auto digits = suffix == suffixes.npos ? text : text.substr(0, text.size() - 1);
    read_value(digits, value.bytes);
    if (suffix != suffixes.npos) {
        const auto shift = 10 * (suffix + 1);
        if (value.bytes > ~std::uint64_t{0} >> shift) {
            throw Error{ErrorKind::Usage, "too large"};
        }
        value.bytes <<= shift;
    }
}

Word& Words::add(std::string_view names, std::string_view metavar, std::string_view help)
{
    Word& word = *words_.emplace_back(std::make_unique<Word>());
    const auto comma = names.find(',');
    if (comma != names.npos) {
        word.letter = names[1];
        names.remove_prefix(comma + 1);
    }
    word.name = names.substr(2);
    word.metavar = metavar;
    word.help = help;
    word.group = group_;
    return word;
}

Word& Words::flag(std::string_view names, bool& target, std::string_view help)
{
    Word& word = add(names, "", help);
    word.set = [&target](std::string_view text) { read_value(text, target); };
    return word;
}

void Words::refuse_secret(std::string_view name, std::string_view instead)
{
    secrets_.emplace_back(name, instead);
}

void Words::inputs(std::string_view metavar, std::string_view help)
{
    input_metavar_ = metavar;
    input_help_ = help;
}

Word& Words::out(std::filesystem::path& target, std::string_view help)
{
    return option("-o,--out", target, "DIR", help);
}

Word& Words::dry_run(bool& target)
{
    return flag("-n,--dry-run", target, "read everything, write nothing, print the same records");
}

Word& Words::jobs(unsigned& target)
{
    return option("-j,--jobs", target, "N", "work on N items at once; 0 means one a core");
}

Word& Words::overwrite(bool& target)
{
    return flag("--overwrite", target, "replace results that stand there and differ");
}

std::vector<std::string> Words::parse(int argc, const char* const* argv)
{
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    std::map<Word*, std::vector<std::string>> found;
    std::vector<std::pair<const CLI::Option*, Word*>> may_lack;
    for (const auto& owned : words_) {
        Word* const word = owned.get();
        std::string names = "--" + word->name;
        for (const auto& alias : word->aliases) {
            names += ",--" + alias;
        }
        if (word->letter != '\0') {
            names += fmt::format(",-{}", word->letter);
        }
        if (word->metavar.empty()) {
            app.add_flag(names)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
                ->each([&found, word](const std::string& text) { found[word] = {text}; });
        } else {
            auto* const option =
                app.add_option(names)
                    ->expected(word->value_may_lack ? 0 : 1, 1)
                    ->multi_option_policy(
                        word->many ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw)
                    ->allow_extra_args(false)
                    ->each([&found, word](const std::string& text) { found[word].push_back(text); });
            if (word->value_may_lack) {
                may_lack.emplace_back(option, word);
            }
        }
    }
    for (const auto& [name, instead] : secrets_) {
        app.add_option(name)->each([&name = name, &instead = instead](const std::string&) {
            throw Error{
                ErrorKind::Usage,
                fmt::format("{} would show the secret to everybody on this machine: use {}", name, instead)};
        });
    }
    std::vector<std::string> inputs;
    if (!input_metavar_.empty()) {
        app.add_option("inputs", inputs)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        throw Error{ErrorKind::Usage, error.what()};
    }
    for (const auto& [option, word] : may_lack) {
        if (option->count() > 0 && found[word].empty()) {
            found[word].emplace_back();
        } else if (option->count() == 0) {
            found.erase(word);
        }
    }
    for (const auto& unknown : app.remaining()) {
        if (unknown != "--") {
            refuse_unknown(unknown);
        }
    }
    if (environment_first()) {
        apply_environment();
    }
    for (const auto& word : words_) {
        if (const auto values = found.find(word.get()); values != found.end() && word->origin == "default") {
            apply(*word, values->second, "option");
        }
    }
    apply_environment();
    apply_config();
    return inputs;
}

/// A value given with it (`--pasword=...`) may be a secret: it is not said.
void Words::refuse_unknown(std::string_view text) const
{
    if (!text.starts_with('-')) {
        throw Error{ErrorKind::Usage, fmt::format("unexpected word '{}'", text)};
    }
    const auto option = std::string{text.substr(0, text.find('='))};
    std::vector<std::string> known;
    for (const auto& word : words_) {
        if (!word->hidden) {
            known.push_back("--" + word->name);
        }
    }
    const auto meant = nearest(option, known);
    throw Error{
        ErrorKind::Usage,
        fmt::format("unknown option '{}'{}", option, meant ? fmt::format(": did you mean {}?", *meant) : "")};
}

void Words::apply_environment()
{
    for (const auto& word : words_) {
        const char* const value = environment(word->name);
        if (value != nullptr && word->origin == "default") {
            apply(*word, {value}, "environment");
        }
    }
}

/// The file holds keys for every command at top level and keys of one under its name: {"receive": {...}}.
void Words::apply_config()
{
    const auto file =
        std::find_if(words_.begin(), words_.end(), [](const auto& w) { return w->name == "config"; });
    if (file == words_.end() || (*file)->given.empty()) {
        return;
    }
    const std::filesystem::path path = (*file)->given.front();
    const auto own = about_.name.substr(about_.name.find('-') + 1);
    const auto text = JsonText::from_file("the configuration", path);
    const auto& json = text.root();
    const auto take = [&](std::string_view key, const nlohmann::json& value, bool must_be_ours) {
        const auto word =
            std::find_if(words_.begin(), words_.end(), [&](const auto& w) { return w->name == key; });
        if (word == words_.end()) {
            if (must_be_ours) {
                text.fail(
                    fmt::format("/{}/{}", own, key), fmt::format("{} has no option '{}'", about_.name, key));
            }
        } else if ((*word)->origin == "default") {
            apply(**word, texts_of(value), path.string());
        }
    };
    if (!json.is_object()) {
        text.fail("", "not a JSON object");
    }
    if (const auto section = json.find(own); section != json.end()) {
        for (const auto& [key, value] : section->items()) {
            take(key, value, true);
        }
    }
    for (const auto& [key, value] : json.items()) {
        if (!value.is_object()) {
            take(key, value, false);
        }
    }
}

void Words::check_required() const
{
    for (const auto& word : words_) {
        if (word->is_required && word->origin == "default") {
            const auto dash = word->letter != '\0' ? fmt::format("-{}/", word->letter) : std::string{};
            throw Error{ErrorKind::Usage, fmt::format("{}--{} is missing", dash, word->name)};
        }
    }
}

std::string Words::options_block() const
{
    constexpr std::size_t column = 30;
    constexpr std::size_t width = 100;
    std::string text;
    const auto row = [&](std::string left, const std::string& right) {
        left.resize(std::max(left.size() + 2, column), ' ');
        text += left + wrapped(right, column, width) + "\n";
    };
    if (!input_metavar_.empty()) {
        text += "Inputs:\n";
        row("  " + input_metavar_, input_help_);
    }
    std::string group;
    for (const auto& word : words_) {
        if (word->hidden) {
            continue;
        }
        if (word->group != group) {
            group = word->group;
            text += fmt::format("{}{}:\n", text.empty() ? "" : "\n", group);
        }
        auto left = word->letter != '\0' ? fmt::format("  -{}, --{}", word->letter, word->name)
                                         : fmt::format("      --{}", word->name);
        left += word->metavar.empty() ? "" : " " + word->metavar;
        auto right = word->help;
        if (word->is_required) {
            right += " [required]";
        } else if (!word->shown_default.empty()) {
            right += fmt::format(" [{}]", word->shown_default);
        }
        if (left.size() + 2 > column) {
            text += left + "\n";
            left.clear();
        }
        row(left, right);
    }
    return text;
}

std::string Words::help() const
{
    auto text = fmt::format(
        "Usage: {} {}\n\n{}\n\nExamples:\n{}\n{}", about_.name, about_.usage, about_.summary, about_.examples,
        options_block());
    if (!about_.notes.empty()) {
        text += fmt::format("\n{}", about_.notes);
    }
    return text + "\nExit codes: 0 all done, 1 failed, 2 wrong words, 3 some items failed, 4 try later,\n"
                  "5 refused for privacy or safety, 128+n ended by signal n\n";
}

std::string Words::effective_values() const
{
    std::string text;
    for (const auto& word : words_) {
        const auto values =
            word->given.empty() ? word->shown_default : fmt::format("{}", fmt::join(word->given, " "));
        text += fmt::format("{} = {}  ({})\n", word->name, values, word->origin);
    }
    return text;
}

} // namespace dcmpipe::cli
