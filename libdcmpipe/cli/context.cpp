#include "cli/context.hpp"

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace dcmpipe::cli {

namespace fs = std::filesystem;

std::optional<std::string> LineReader::next()
{
    std::size_t looked = start_;
    for (;;) {
        const auto end = buffer_.find(end_, looked);
        if (end != std::string::npos) {
            auto line = buffer_.substr(start_, end - start_);
            start_ = end + 1;
            return line;
        }
        looked = buffer_.size() - start_;
        if (!fill()) {
            break;
        }
    }
    // The last line may lack its end.
    auto rest = buffer_.substr(std::exchange(start_, buffer_.size()));
    return rest.empty() || stop::requested() ? std::nullopt : std::optional{std::move(rest)};
}

/// Reads what is there, waiting until something is; false at the end. What was given out goes.
bool LineReader::fill()
{
    buffer_.erase(0, std::exchange(start_, 0));
    constexpr int short_wait_ms = 200; // a signal may wake another thread than this one
    while (!over_ && !stop::requested()) {
        pollfd now{fd_, POLLIN, 0};
        if (::poll(&now, 1, short_wait_ms) <= 0) {
            continue;
        }
        std::array<char, 16384> bytes;
        const auto got = ::read(fd_, bytes.data(), bytes.size());
        if (got > 0) {
            buffer_.append(bytes.data(), static_cast<std::size_t>(got));
            return true;
        }
        if (got < 0 && errno != EINTR) {
            throw Error::from_errno(ErrorKind::Input, "cannot read", "stdin");
        }
        over_ = got == 0;
    }
    return false;
}

bool LineReader::ready() const
{
    pollfd now{fd_, POLLIN, 0};
    return over_ || buffer_.find(end_, start_) != std::string::npos || ::poll(&now, 1, 0) > 0;
}

Context::Context(StreamOptions streams, std::vector<std::string> inputs, std::unique_ptr<Progress> progress)
    : streams_(streams), stdin_(STDIN_FILENO, streams.null ? '\0' : '\n'), inputs_(std::move(inputs)),
      progress_(std::move(progress))
{
}

std::optional<fs::path> Context::next_input()
{
    while (!stop::requested()) {
        if (reading_stdin_) {
            const auto line = stdin_.next();
            if (!line) {
                reading_stdin_ = false;
            } else if (line->starts_with('{')) {
                const auto record = Record::from_json(*line);
                if (record.usable()) {
                    return record.path();
                }
                emit(record);
            } else if (!line->empty()) {
                return *line;
            }
        } else if (next_ == inputs_.size()) {
            break;
        } else if (const auto& input = inputs_[next_++]; input == "-") {
            reading_stdin_ = true;
        } else {
            return input;
        }
    }
    return std::nullopt;
}

bool Context::input_is_ready() const
{
    if (!reading_stdin_) {
        return next_ < inputs_.size() && inputs_[next_] != "-";
    }
    return stdin_.ready();
}

/// An Error ends the work on one path, not the batch.
void Context::attempt(const fs::path& path, const std::function<void()>& work)
{
    try {
        work();
    } catch (const Error& error) {
        fail(path, error);
    }
}

void Context::for_each_input(const std::function<Record(const fs::path&)>& work)
{
    require_inputs();
    while (const auto input = next_input()) {
        attempt(*input, [&] { emit(work(*input)); });
    }
}

void Context::for_each_file(const std::function<Record(const fs::path&)>& work)
{
    visit_files([&](const fs::path& file) { emit(work(file)); });
}

void Context::visit_files(const std::function<void(const fs::path&)>& work)
{
    require_inputs();
    while (const auto input = next_input()) {
        attempt(*input, [&] {
            for (const auto& file : files_below(*input)) {
                if (stop::requested()) {
                    return;
                }
                attempt(file, [&] { work(file); });
            }
        });
    }
}

void Context::require_inputs() const
{
    if (inputs_.empty()) {
        throw Error{ErrorKind::Usage, "no input given ('-' reads paths from stdin)"};
    }
}

std::string Context::line_of(const Record& record)
{
    const std::lock_guard lock{mutex_};
    if (!record.usable()) {
        ++failures_;
    }
    // In plain mode a failure has no line: stdout names only what the next stage can go on with.
    if (!streams_.json && !record.usable()) {
        return {};
    }
    return (streams_.json ? record.json() : record.path().string()) + (streams_.null ? '\0' : '\n');
}

void Context::emit(const Record& record)
{
    const auto line = line_of(record);
    const std::lock_guard lock{mutex_};
    std::string_view rest = line;
    while (!rest.empty()) {
        const auto written = ::write(STDOUT_FILENO, rest.data(), rest.size());
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EPIPE) {
            throw ClosedPipe{};
        } else if (errno != EINTR) {
            throw Error::from_errno(ErrorKind::Output, "cannot write", "stdout");
        }
    }
}

void Context::fail(const fs::path& path, const Error& error, Status status)
{
    log::error("{}", error.what());
    emit(Record{path, status, error.reason()});
}

ExitCode Context::exit_code() const
{
    return failures_ == 0 ? ExitCode::Ok : ExitCode::Partial;
}

} // namespace dcmpipe::cli
