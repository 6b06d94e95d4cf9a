#include "core/log.hpp"

#include "core/error.hpp"
#include "core/utc_time.hpp"

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace dcmpipe::log {

namespace {

struct State {
    Settings settings;
    int file = -1;
};

State& state()
{
    static State the_state;
    return the_state;
}

constexpr std::array<std::string_view, 4> level_names{"error", "warning", "info", "debug"};

std::string_view name_of(Level level)
{
    return level_names.at(static_cast<std::size_t>(level));
}

/// File names may hold anything: a line feed or an escape sequence must not forge a line of its own.
std::string without_controls(std::string_view text)
{
    std::string clean;
    clean.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            fmt::format_to(std::back_inserter(clean), "\\x{:02x}", byte);
        } else {
            clean += c;
        }
    }
    return clean;
}

std::string as_text(Level level, std::string_view message)
{
    const auto& program = state().settings.program;
    const auto kind = level == Level::Info ? std::string{} : fmt::format("{}: ", name_of(level));
    return fmt::format("{}: {}{}\n", program, kind, without_controls(message));
}

std::string as_json(Level level, std::string_view message)
{
    const nlohmann::ordered_json json{
        {"time", utc_now()},
        {"program", state().settings.program},
        {"level", name_of(level)},
        {"message", message}};
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void put(int fd, const std::string& line)
{
    // A log that cannot be written must not stop the work it tells of.
    [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
}

} // namespace

void configure(const Settings& settings)
{
    state().settings = settings;
    if (settings.file) {
        state().file = ::open(settings.file->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (state().file < 0) {
            throw Error::from_errno(ErrorKind::Output, "cannot open the log file", settings.file->string());
        }
    }
}

std::optional<Level> level_from(std::string_view name)
{
    for (std::size_t i = 0; i < level_names.size(); ++i) {
        if (level_names[i] == name) {
            return static_cast<Level>(i);
        }
    }
    return std::nullopt;
}

bool enabled(Level level) noexcept
{
    return level <= state().settings.level;
}

void write(Level level, std::string_view message)
{
    if (!enabled(level)) {
        return;
    }
    const auto line = state().settings.json ? as_json(level, message) : as_text(level, message);
    put(STDERR_FILENO, line);
    if (state().file >= 0) {
        put(state().file, state().settings.json ? line : utc_now() + " " + line);
    }
}

std::string_view phi(std::string_view value) noexcept
{
    return state().settings.show_phi ? value : "(hidden)";
}

} // namespace dcmpipe::log
