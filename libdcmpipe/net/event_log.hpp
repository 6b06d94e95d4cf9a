#pragma once

#include "core/fd.hpp"
#include "net/event.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace dcmpipe::net {

/// Events as lines of JSON, appended to a file or to a descriptor that somebody reads. Who writes never waits
/// and never fails: what cannot be written is kept up to a limit and then dropped, and a line
/// `{"event":"lost","count":N}` says so once there is room again. For one thread.
class EventLog {
public:
    /// `target` is a file, or the number of a descriptor that is open. Throws Error{Output}.
    explicit EventLog(std::filesystem::path target);

    void push(const Event& event);

    /// Writes what is kept, as far as it goes.
    void flush();

    /// Opens the file again under its name, where it has one: after it was moved away. Throws Error{Output};
    /// then it goes on with the file it has.
    void reopen();

    /// All events that were dropped.
    std::uint64_t lost() const noexcept { return lost_; }

    /// In a forked process: the log stays the parent's alone.
    void let_go() { fd_.reset(); }

    /// What is kept at most.
    static constexpr std::size_t most_kept = 4U << 20U;

private:
    Fd open() const;

    std::filesystem::path target_;
    int number_ = -1; ///< of the descriptor, where target_ is one
    Fd fd_;
    std::string kept_;
    std::uint64_t lost_ = 0;
    std::uint64_t said_lost_ = 0;
    bool failing_ = false;
};

} // namespace dcmpipe::net
