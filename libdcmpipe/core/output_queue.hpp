#pragma once

#include "core/event_loop.hpp"
#include "core/fd.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace dcmpipe {

/// Text on its way to a descriptor whose reader may be slow: who has something to say never waits for it.
/// The text goes out while the event loop runs, which throws Error{Output} where it cannot be written.
class OutputQueue {
public:
    /// `fd` stays the caller's and keeps its flags: a pipe or terminal is opened once more, to write to it
    /// without waiting, because others may share it. `name` is for errors. `loop` must outlive the queue.
    OutputQueue(EventLoop& loop, int fd, std::string_view name);
    OutputQueue(const OutputQueue&) = delete;
    OutputQueue& operator=(const OutputQueue&) = delete;
    ~OutputQueue();

    void push(std::string text);

    /// What waits.
    std::uint64_t bytes() const noexcept { return bytes_; }
    bool empty() const noexcept { return waiting_.empty(); }

    /// True once the reader is gone: nothing that waits will go out.
    bool reader_gone() const noexcept { return gone_; }

private:
    int fd() const noexcept { return own_ ? own_.get() : fd_; }
    void watch();
    void on_ready();
    void write_some();

    EventLoop& loop_;
    int fd_;
    Fd own_;
    bool socket_ = false;
    bool gone_ = false;
    std::string name_;
    std::deque<std::string> waiting_;
    std::size_t written_ = 0; ///< of the first text
    std::uint64_t bytes_ = 0;
};

} // namespace dcmpipe
