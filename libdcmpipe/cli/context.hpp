#pragma once

#include "core/error.hpp"
#include "core/exit_code.hpp"
#include "core/progress.hpp"
#include "core/record.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::cli {

/// How results and inputs are written; common to all commands.
struct StreamOptions {
    bool json = false; ///< records instead of paths
    bool null = false; ///< NUL instead of a line feed, in and out
};

/// Lines of a file descriptor, as they come; a stop request ends the wait for the next one.
class LineReader {
public:
    LineReader(int fd, char end) : fd_(fd), end_(end) {}

    /// The next line without its end; nothing at the end of the file or once a stop was requested.
    std::optional<std::string> next();
    /// next() would not wait.
    bool ready() const;

private:
    bool fill();

    int fd_;
    char end_;
    std::string buffer_;
    std::size_t start_ = 0; ///< of the next line in buffer_
    bool over_ = false;
};

/// What a command works with: its inputs, its results on stdout, its tally of failures.
/// emit() and fail() may be called from any thread.
class Context {
public:
    Context(StreamOptions streams, std::vector<std::string> inputs, std::unique_ptr<Progress> progress);

    /// The next input: an argument or, where an argument is `-`, a line or record of stdin. Records that
    /// failed upstream are passed on to stdout and counted, not returned. Nothing after the last, or once
    /// a stop was requested. From one thread at a time.
    std::optional<std::filesystem::path> next_input();

    /// True where next_input() has one at hand and would not wait for stdin.
    bool input_is_ready() const;

    /// Calls `work` for each input and prints its record. An Error ends that input, not the batch.
    void for_each_input(const std::function<Record(const std::filesystem::path&)>& work);

    /// As above, for each file of each input: a folder stands for the files below it.
    void for_each_file(const std::function<Record(const std::filesystem::path&)>& work);

    /// As for_each_file(), where `work` gives no record.
    void visit_files(const std::function<void(const std::filesystem::path&)>& work);

    /// Throws Error{Usage} where no input was given.
    void require_inputs() const;

    /// Prints a result. Throws Error{Output} where stdout cannot be written.
    void emit(const Record& record);

    /// What emit() would print, for a command that must not wait for stdout; counts the record. Empty where
    /// it has no line.
    std::string line_of(const Record& record);

    /// Says on stderr what failed, prints the record under --json, and counts it.
    void fail(const std::filesystem::path& path, const Error& error, Status status = Status::Failed);

    Progress& progress() { return *progress_; }
    const StreamOptions& streams() const { return streams_; }

    /// Ok, or Partial where items failed.
    ExitCode exit_code() const;

private:
    void attempt(const std::filesystem::path& path, const std::function<void()>& work);

    StreamOptions streams_;
    LineReader stdin_;
    std::vector<std::string> inputs_;
    std::size_t next_ = 0;
    bool reading_stdin_ = false;
    std::unique_ptr<Progress> progress_;
    std::mutex mutex_;
    std::size_t failures_ = 0;
};

/// stdout was closed by its reader: the command ends quietly.
struct ClosedPipe {};

} // namespace dcmpipe::cli
