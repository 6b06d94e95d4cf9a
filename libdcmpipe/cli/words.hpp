#pragma once

#include "core/error.hpp"

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dcmpipe::cli {

/// What a command is, for --help, --version, its man page and `dpipe`.
struct About {
    std::string_view name;     ///< `dpipe-zip`
    std::string_view summary;  ///< one sentence
    std::string_view usage;    ///< the words after the name: `-o DIR STUDY...`
    std::string_view examples; ///< two or more lines, indented by two spaces
    std::string_view notes{};  ///< what else --help should say
};

/// A number of bytes; read with or without one of the suffixes K, M, G, T (powers of 1024).
struct Size {
    std::uint64_t bytes = 0;
};

// How the text of an option, environment variable or configuration key becomes a value. Each throws
// Error{Usage} with the reason alone; the caller names the option.
void read_value(std::string_view text, std::string& value);
void read_value(std::string_view text, std::filesystem::path& value);
void read_value(std::string_view text, bool& value);
void read_value(std::string_view text, double& value);
void read_value(std::string_view text, Size& value);

template <class Number>
requires std::is_integral_v<Number>
void read_value(std::string_view text, Number& value)
{
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || rest != end) {
        throw Error{ErrorKind::Usage, "not a whole number in range"};
    }
}

template <class T>
void read_value(std::string_view text, std::optional<T>& value)
{
    read_value(text, value.emplace());
}

template <class T>
void read_value(std::string_view text, std::vector<T>& values)
{
    read_value(text, values.emplace_back());
}

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

/// One option of a command. Made by Words; its setters may be chained.
struct Word {
    std::string name;    ///< without dashes: `log-file`
    char letter = '\0';  ///< of the short form; none where 0
    std::string metavar; ///< empty for a flag
    std::string help;
    std::string shown_default;
    std::string group;                  ///< its heading in --help
    std::vector<std::string> aliases{}; ///< other long names, not shown
    bool many = false;                  ///< may be given several times
    bool is_required = false;
    bool hidden = false;
    bool value_may_lack = false; ///< before another option or at the end: then it is set to an empty text
    std::function<void(std::string_view)> set;

    // After parsing: what it was given, and by whom.
    std::vector<std::string> given{};
    std::string origin = "default";

    Word& required()
    {
        is_required = true;
        return *this;
    }
    /// Shown behind the help as `[text]`.
    Word& shows(std::string_view text)
    {
        shown_default = text;
        return *this;
    }
    Word& or_alone()
    {
        value_may_lack = true;
        return *this;
    }
    Word& alias(std::string_view other)
    {
        aliases.emplace_back(other);
        return *this;
    }
};

/// The words of one command: its options and inputs, each declared once. Parsing, --help, the options block
/// of the man page, names of environment variables (DPIPE_LOG_FILE) and configuration keys (log-file) all
/// follow from this table.
class Words {
public:
    explicit Words(const About& about) : about_(about) {}
    Words(const Words&) = delete;
    Words& operator=(const Words&) = delete;

    const About& about() const { return about_; }

    /// An option with a value: `names` is `-o,--out` or `--name`. `target` keeps its value as the default.
    template <class T>
    Word& option(std::string_view names, T& target, std::string_view metavar, std::string_view help)
    {
        Word& word = add(names, metavar, help);
        word.many = is_list<T>;
        word.set = [&target](std::string_view text) { read_value(text, target); };
        return word;
    }

    /// An option whose value is one of the given words.
    template <class Enum>
    Word& choice(
        std::string_view names, Enum& target, std::vector<std::pair<std::string_view, Enum>> values,
        std::string_view help)
    {
        std::string metavar;
        for (const auto& [text, value] : values) {
            metavar += (metavar.empty() ? "" : "|") + std::string{text};
        }
        Word& word = add(names, metavar, help);
        word.set = [&target, values = std::move(values), metavar](std::string_view text) {
            for (const auto& [known, value] : values) {
                if (known == text) {
                    target = value;
                    return;
                }
            }
            throw Error{ErrorKind::Usage, "not one of " + metavar};
        };
        return word;
    }

    /// An option without a value.
    Word& flag(std::string_view names, bool& target, std::string_view help);

    /// A word that would put a secret where everybody on the machine can read it: refused, naming the way.
    void refuse_secret(std::string_view name, std::string_view instead);

    /// The command takes inputs; see Context::inputs.
    void inputs(std::string_view metavar, std::string_view help);

    // The same words for the same thing in every command.
    Word& out(std::filesystem::path& target, std::string_view help);
    Word& dry_run(bool& target);
    Word& jobs(unsigned& target);
    Word& overwrite(bool& target);

    /// The heading for the options declared from now on.
    void group(std::string_view heading) { group_ = heading; }

    /// Reads the command line into the targets, then fills what it does not name: by environment, by
    /// configuration file, in the order of precedence. Throws Error{Usage}. Returns the inputs.
    std::vector<std::string> parse(int argc, const char* const* argv);

    /// Throws Error{Usage} naming the first required option that nobody gave.
    void check_required() const;

    std::string help() const;
    /// The options block alone, as the man page shows it.
    std::string options_block() const;
    /// Every option's value and where it came from, a line each.
    std::string effective_values() const;

    const std::vector<std::unique_ptr<Word>>& all() const { return words_; }

private:
    Word& add(std::string_view names, std::string_view metavar, std::string_view help);
    [[noreturn]] void refuse_unknown(std::string_view text) const;
    void apply_environment();
    void apply_config();

    About about_;
    std::string group_ = "Options";
    std::vector<std::unique_ptr<Word>> words_;
    std::vector<std::pair<std::string, std::string>> secrets_; ///< refused word, and what to use instead
    std::string input_metavar_;
    std::string input_help_;
    std::filesystem::path config_file_;
};

} // namespace dcmpipe::cli
