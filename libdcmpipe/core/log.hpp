#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

/// Messages for people and log collectors: to stderr and, where asked, to a file as well.
///
/// Attribute values never go into a message; where one would help a developer it passes through phi().
/// A message is one write, so lines of several threads and processes do not mix. Any thread may log once
/// configure() has returned.
namespace dcmpipe::log {

enum class Level { Error, Warning, Info, Debug };

struct Settings {
    std::string program;                         ///< leads every line: `dpipe-anon`
    Level level = Level::Info;                   ///< what is less urgent is dropped
    bool json = false;                           ///< one JSON object a line instead of text
    bool show_phi = false;                       ///< --log-phi: let phi() show what it is given
    std::optional<std::filesystem::path> file{}; ///< appended to, each line with the time in UTC
};

/// Call once, before threads start. Throws Error{Output} where the file cannot be opened.
void configure(const Settings& settings);

/// Parses `error`, `warning`, `info` or `debug`.
std::optional<Level> level_from(std::string_view name);

bool enabled(Level level) noexcept;

void write(Level level, std::string_view message);

/// The value itself under --log-phi, else a placeholder.
std::string_view phi(std::string_view value) noexcept;

template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args)
{
    write(Level::Error, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args)
{
    write(Level::Warning, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args)
{
    if (enabled(Level::Info)) {
        write(Level::Info, fmt::format(format, std::forward<Args>(args)...));
    }
}

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args)
{
    if (enabled(Level::Debug)) {
        write(Level::Debug, fmt::format(format, std::forward<Args>(args)...));
    }
}

} // namespace dcmpipe::log
