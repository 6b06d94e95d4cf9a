#include "retrieve/pace.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace dcmpipe::retrieve {

namespace {

constexpr int day = 24 * 60 * 60;
constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

[[noreturn]] void refuse()
{
    throw Error{
        ErrorKind::Usage,
        "a window is written HH:MM-HH:MM, with days before it if need be: mon-fri 20:00-06:00"};
}

std::string_view cut(std::string_view& text, char at)
{
    const auto end = std::min(text.find(at), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

int number(std::string_view text, int most)
{
    int value = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || rest != end || value < 0 || value > most) {
        refuse();
    }
    return value;
}

/// HH:MM or HH:MM:SS; 24:00 is the end of the day.
int second_from(std::string_view text)
{
    const int hours = number(cut(text, ':'), 24);
    const int minutes = number(cut(text, ':'), 59);
    const int second = hours * 3600 + minutes * 60 + (text.empty() ? 0 : number(text, 59));
    return second <= day ? second : (refuse(), 0);
}

std::size_t day_from(std::string_view name)
{
    const auto found = std::find(day_names.begin(), day_names.end(), name);
    if (found == day_names.end()) {
        refuse();
    }
    return static_cast<std::size_t>(found - day_names.begin());
}

/// `mon-fri`, `sat,sun`
std::array<bool, 7> days_from(std::string_view text)
{
    std::array<bool, 7> days{};
    while (!text.empty()) {
        auto part = cut(text, ',');
        const auto first = day_from(cut(part, '-'));
        const auto last = part.empty() ? first : day_from(part);
        for (auto one = first;; one = (one + 1) % days.size()) {
            days.at(one) = true;
            if (one == last) {
                break;
            }
        }
    }
    return days;
}

} // namespace

Window Window::parse(std::string_view text)
{
    Window window;
    window.days.fill(true);
    if (const auto space = text.find(' '); space != text.npos) {
        window.days = days_from(text.substr(0, space));
        text.remove_prefix(space + 1);
    }
    const auto begin = cut(text, '-');
    if (text.empty()) {
        refuse();
    }
    window.opens = second_from(begin);
    window.seconds = second_from(text) - window.opens;
    window.seconds += window.seconds <= 0 ? day : 0;
    return window;
}

int Window::until_open(const std::tm& now) const
{
    const int second = now.tm_hour * 3600 + now.tm_min * 60 + std::min(now.tm_sec, 59);
    for (int ahead = -1; ahead <= 7; ++ahead) {
        const auto weekday = static_cast<std::size_t>((now.tm_wday + ahead + 7) % 7);
        const int opening = ahead * day + opens;
        if (days.at(weekday) && second < opening + seconds) {
            return std::max(opening - second, 0);
        }
    }
    return day; // no day at all is set: it never opens
}

void read_value(std::string_view text, Window& window)
{
    window = Window::parse(text);
}

int until_open(const std::vector<Window>& windows)
{
    const auto seconds = std::time(nullptr);
    std::tm now{};
    ::localtime_r(&seconds, &now);
    int left = windows.empty() ? 0 : std::numeric_limits<int>::max();
    for (const auto& window : windows) {
        left = std::min(left, window.until_open(now));
    }
    return left;
}

bool wait_until_open(const std::vector<Window>& windows)
{
    constexpr int at_most = 60; // the clock may be set, or change to summer time
    bool said = false;
    for (int left = until_open(windows); left > 0 && !stop::requested(); left = until_open(windows)) {
        if (!said) {
            log::info("waiting {} min for the window to open", (left + 59) / 60);
        }
        said = true;
        stop::sleep(std::min(left, at_most));
    }
    return !stop::requested();
}

} // namespace dcmpipe::retrieve
