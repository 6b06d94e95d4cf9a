#include "cli/command.hpp"

#include "cli/version.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>

#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe::cli {

namespace {

struct CommonOptions {
    StreamOptions streams;
    bool quiet = false;
    bool verbose = false;
    log::Level level = log::Level::Info;
    log::Settings log;
    Progress::Mode progress = Progress::Mode::Auto;
    std::filesystem::path config;
    bool help = false;
    bool version = false;
    bool show_config = false;
    bool options_block = false;
};

void declare_common(Words& words, CommonOptions& options)
{
    using log::Level;
    words.group("Common options");
    words.flag("--json", options.streams.json, "print one JSON object a result instead of its path");
    words.flag("-0,--null", options.streams.null, "end names with NUL instead of a line feed, in and out");
    words.flag("-q,--quiet", options.quiet, "say errors only");
    words.flag("-v,--verbose", options.verbose, "say more");
    words.option("--log-file", options.log.file, "FILE", "append messages to FILE as well");
    words
        .choice(
            "--log-level", options.level,
            {{"error", Level::Error},
             {"warning", Level::Warning},
             {"info", Level::Info},
             {"debug", Level::Debug}},
            "how much to say")
        .shows("info");
    words.flag("--log-json", options.log.json, "messages as JSON, one object a line");
    words.flag("--log-phi", options.log.show_phi, "let debug messages show attribute values").hidden = true;
    words
        .choice(
            "--progress", options.progress,
            {{"auto", Progress::Mode::Auto},
             {"always", Progress::Mode::Always},
             {"never", Progress::Mode::Never}},
            "show how far it is: on a terminal, in logs every 10 s, or never")
        .shows("auto");
    words.option("--config", options.config, "FILE", "read options from a JSON file");
    words.flag("--show-config", options.show_config, "print every option's value and where it comes from");
    words.flag(
        "-V,--version", options.version, "print the version and the edition of the de-identification table");
    words.flag("-h,--help", options.help, "print this help");
    words.flag("--options-block", options.options_block, "print the options as the man page has them")
        .hidden = true;
}

int finish(ExitCode code)
{
    return static_cast<int>(code);
}

int print_and_close(const std::string& text)
{
    const bool good = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return finish(good ? ExitCode::Ok : ExitCode::Failed);
}

/// A mapped input that another program cuts short while we read it: the kernel sends SIGBUS.
extern "C" void on_bus_error(int /*number*/)
{
    static constexpr std::string_view message = "dcmpipe: error: an input shrank while it was read\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message.data(), message.size());
    ::_exit(static_cast<int>(ExitCode::Failed));
}

void close_stdout()
{
    if (::close(STDOUT_FILENO) != 0 && errno != EBADF) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", "stdout");
    }
}

int work_and_close(Context& context, const std::function<void(Context&)>& work)
{
    work(context);
    close_stdout();
    stop::die_by_signal();
    return finish(context.exit_code());
}

int parse_and_work(
    int argc, char** argv, Words& words, const std::function<void(Words&)>& declare,
    const std::function<void(Context&)>& work)
{
    CommonOptions common;
    declare(words);
    declare_common(words, common);
    auto inputs = words.parse(argc, argv);
    if (common.help) {
        return print_and_close(words.help());
    }
    if (common.version) {
        return print_and_close(version_text(words.about().name));
    }
    if (common.options_block) {
        return print_and_close(words.options_block());
    }
    if (common.show_config) {
        return print_and_close(words.effective_values());
    }
    words.check_required();
    common.log.program = words.about().name;
    common.log.level = common.quiet ? log::Level::Error : common.verbose ? log::Level::Debug : common.level;
    log::configure(common.log);
    const auto mode = common.quiet ? Progress::Mode::Never : common.progress;
    Context context{
        common.streams, std::move(inputs), std::make_unique<Progress>(mode, std::string{words.about().name})};
    return work_and_close(context, work);
}

} // namespace

int run_command(
    const About& about, int argc, char** argv, const std::function<void(Words&)>& declare,
    const std::function<void(Context&)>& work)
{
    stop::install();
    ::signal(SIGBUS, on_bus_error);
    log::configure({.program = std::string{about.name}});
    Words words{about};
    try {
        return parse_and_work(argc, argv, words, declare, work);
    } catch (const ClosedPipe&) {
        ::signal(SIGPIPE, SIG_DFL);
        ::raise(SIGPIPE);
        return finish(ExitCode::Failed);
    } catch (const Error& error) {
        stop::die_by_signal();
        log::error("{}", error.what());
        if (error.kind() == ErrorKind::Usage) {
            log::info("see '{} --help'", about.name);
        }
        return finish(exit_code(error.kind()));
    } catch (const std::exception& error) {
        log::error("internal error: {}", error.what());
        return finish(ExitCode::Failed);
    }
}

} // namespace dcmpipe::cli
