/// \file dpipe: lists the commands, or runs one: `dpipe zip ...` is `dpipe-zip ...`.

#include "cli/suggest.hpp"
#include "cli/version.hpp"
#include "core/exit_code.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;

struct Command {
    std::string_view name;
    std::string_view summary;
};

constexpr Command commands[] = {
#include "commands.inc"
};

fs::path folder_of_this_program()
{
    std::error_code error;
    return fs::read_symlink("/proc/self/exe", error).parent_path();
}

int list()
{
    fmt::print("Usage: dpipe COMMAND [WORDS...]      dpipe COMMAND --help\n\n");
    for (const auto& [name, summary] : commands) {
        fmt::print("  {:<12} {}\n", name, summary);
    }
    return 0;
}

int run(std::string_view name, char** argv)
{
    const auto program = fmt::format("dpipe-{}", name);
    argv[0] = const_cast<char*>(program.c_str());
    // The command beside this one comes first, so that a build tree runs its own.
    ::execv((folder_of_this_program() / program).c_str(), argv);
    ::execvp(program.c_str(), argv);
    std::vector<std::string> known;
    for (const auto& command : commands) {
        known.emplace_back(command.name);
    }
    const auto meant = dcmpipe::cli::nearest(name, known);
    const auto hint = meant ? fmt::format(": did you mean {}?", *meant) : "";
    fmt::print(stderr, "dpipe: error: no command '{}'{}\ndpipe: see 'dpipe --help'\n", name, hint);
    return static_cast<int>(dcmpipe::ExitCode::Usage);
}

} // namespace

int main(int argc, char** argv)
{
    const std::string_view first = argc > 1 ? argv[1] : "--help";
    if (first == "--help" || first == "-h") {
        return list();
    }
    if (first == "--version" || first == "-V") {
        fmt::print("{}", dcmpipe::cli::version_text("dpipe"));
        return 0;
    }
    return run(first, argv + 1);
}
