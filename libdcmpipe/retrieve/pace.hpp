#pragma once

#include <array>
#include <ctime>
#include <string_view>
#include <vector>

namespace dcmpipe::retrieve {

/// When of the week something may be done, by the clock of this machine.
struct Window {
    std::array<bool, 7> days{}; ///< on which it opens; Sunday is 0
    int opens = 0;              ///< second of the day
    int seconds = 0;            ///< that it stays open, perhaps into the next day

    /// From `20:00-06:00`, with seconds if need be, and before it days: `mon-fri 20:00-06:00`, `sat,sun
    /// 0:00-24:00`. Throws Error{Usage}.
    static Window parse(std::string_view text);

    /// Seconds from `now` until it is open; 0 where it is.
    int until_open(const std::tm& now) const;
};

/// For options whose value is one.
void read_value(std::string_view text, Window& window);

/// Seconds until one of the windows is open, by the clock of now; 0 where one is, or there are none.
int until_open(const std::vector<Window>& windows);

/// Returns once one of the windows is open, at once where there are none. False once a signal asked to stop.
bool wait_until_open(const std::vector<Window>& windows);

} // namespace dcmpipe::retrieve
