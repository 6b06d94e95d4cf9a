#include "watch/command.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dcmpipe::watch {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view placeholder = "{}";

[[noreturn]] void refuse(std::string_view text, std::string_view reason)
{
    throw Error{ErrorKind::Usage, "wrong command", text, reason};
}

std::vector<std::string> split(std::string_view text)
{
    std::vector<std::string> words;
    bool in_word = false;
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
            in_word = false;
            continue;
        }
        if (!in_word) {
            words.emplace_back();
            in_word = true;
        }
        if (c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            words.back() += text[++i];
        } else {
            words.back() += c;
        }
    }
    if (quote != '\0') {
        refuse(text, "a quote is not closed");
    }
    return words;
}

bool is_program(const fs::path& path)
{
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

/// As a shell looks for it; empty where there is none.
fs::path find_program(const std::string& name)
{
    if (name.find('/') != std::string::npos) {
        return is_program(name) ? fs::path{name} : fs::path{};
    }
    const char* const variable = std::getenv("PATH"); // NOLINT(concurrency-mt-unsafe): read before threads
    std::string_view folders = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
    while (!folders.empty()) {
        const auto end = std::min(folders.find(':'), folders.size());
        auto path = fs::path{folders.substr(0, end)} / name;
        if (is_program(path)) {
            return path;
        }
        folders.remove_prefix(std::min(end + 1, folders.size()));
    }
    return {};
}

/// What a new process gets, freed with it.
struct Spawning {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};

    Spawning()
    {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawnattr_init(&attributes);
    }
    Spawning(const Spawning&) = delete;
    Spawning& operator=(const Spawning&) = delete;
    ~Spawning()
    {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }

    int prepare(int inherited)
    {
        sigset_t ours_ignore;
        ::sigemptyset(&ours_ignore);
        ::sigaddset(&ours_ignore, SIGPIPE);
        int error = ::posix_spawnattr_setsigdefault(&attributes, &ours_ignore);
        error = error != 0 ? error : ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        error = error != 0
                    ? error
                    : ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        // Onto itself: this takes away its close-on-exec.
        return error != 0 ? error : ::posix_spawn_file_actions_adddup2(&actions, inherited, inherited);
    }
};

int wait_for(pid_t process)
{
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace

Command::Command(std::string_view text) : words_(split(text))
{
    if (words_.empty()) {
        refuse(text, "it is empty");
    }
    const auto has_place = [](const std::string& word) { return word.find(placeholder) != word.npos; };
    if (!std::any_of(words_.begin() + 1, words_.end(), has_place)) {
        refuse(text, "no {} says where the folder goes");
    }
    program_ = find_program(words_.front());
    if (program_.empty()) {
        refuse(text, "no such program");
    }
}

std::vector<std::string> Command::words_for(const fs::path& folder) const
{
    auto words = words_;
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
        const auto name = folder.string();
        for (auto at = word->find(placeholder); at != word->npos;
             at = word->find(placeholder, at + name.size())) {
            word->replace(at, placeholder.size(), name);
        }
    }
    return words;
}

int Command::run(const fs::path& folder, int inherited) const
{
    auto words = words_for(folder);
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (auto& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    Spawning spawning;
    pid_t process = 0;
    int error = spawning.prepare(inherited);
    if (error == 0) {
        error = ::posix_spawn(
            &process, program_.c_str(), &spawning.actions, &spawning.attributes, argv.data(), environ);
    }
    if (error != 0) {
        errno = error;
        throw Error::from_errno(ErrorKind::Output, "cannot run", program_.string());
    }
    return wait_for(process);
}

} // namespace dcmpipe::watch
