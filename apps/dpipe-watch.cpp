/// \file dpipe-watch: find study folders that are complete; print each, or run a command for it.

#include "cli/command.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "watch/command.hpp"
#include "watch/watcher.hpp"

#include <set>

#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-watch",
    .summary = "Find studies that are complete, and print each or run a command for it.",
    .usage = "TREE... [OPTIONS]",
    .examples = "  dpipe-watch incoming/ | dpipe-anon -m link.db -o anon/ -\n"
                "  dpipe-watch incoming/ --timeout 120 --exec 'dpipe-zip -o zips/ {}'\n"
                "  dpipe-watch --once anon/ | dpipe-zip -o zips/ -\n"};

struct Options {
    watch::WatchSettings watch;
    std::optional<std::string> exec;
};

void declare(cli::Words& words, Options& options)
{
    words.inputs("TREE", "a folder with study folders in it");
    words
        .option(
            "--timeout", options.watch.timeout, "SECONDS",
            "a study is complete when nothing in it changed so long")
        .shows("60");
    words.option(
        "--events", options.watch.events, "FILE",
        "the receiver's events (dpipe-receive --events): they tell when associations were released");
    words
        .option(
            "--after-release", options.watch.after_release, "SECONDS",
            "with --events: so long is enough where all that was received was released")
        .shows("2");
    words.flag("--once", options.watch.once, "do what is complete and not done, then end: for cron");
    words.option(
        "--exec", options.exec, "'CMD {}'",
        "run this for each study instead of printing it; {} is the folder");
    words.option("--depth", options.watch.depth, "N", "study folders are the folders N levels down")
        .shows("those with a marker");
}

/// Prints the study or runs the command for it; after that, and never before, it is done.
void hand_over(
    watch::Claim claim, const std::optional<watch::Command>& command, watch::Watcher& watcher,
    cli::Context& context)
{
    const auto folder = claim.place().path();
    if (command) {
        const int code = command->run(folder, claim.lock());
        if (code != 0) {
            throw Error{
                ErrorKind::Output, "the command failed for", folder.string(),
                fmt::format("exit code {}", code)};
        }
    } else {
        context.emit(Record{folder}
                         .set("revision", static_cast<std::int64_t>(claim.revision()))
                         .set("files", static_cast<std::int64_t>(claim.snapshot().files))
                         .set("bytes", static_cast<std::int64_t>(claim.snapshot().bytes)));
    }
    context.progress().add(1, claim.snapshot().bytes);
    watcher.done(std::move(claim));
}

/// A service says a trouble when it comes, not at every look; a single look counts it.
class Troubles {
public:
    Troubles(bool once, cli::Context& context) : once_(once), context_(context) {}

    void tell(const std::vector<std::pair<fs::path, Error>>& troubles)
    {
        std::set<std::string> now;
        for (const auto& [path, error] : troubles) {
            now.insert(error.what());
            if (once_) {
                context_.fail(path, error);
            } else if (!told_.contains(error.what())) {
                log::warning("{}", error.what());
            }
        }
        told_ = std::move(now);
    }

private:
    bool once_;
    cli::Context& context_;
    std::set<std::string> told_;
};

void watch_trees(const Options& options, cli::Context& context)
{
    context.require_inputs();
    const auto command = options.exec ? std::optional<watch::Command>{*options.exec} : std::nullopt;
    auto settings = options.watch;
    while (const auto tree = context.next_input()) {
        settings.trees.push_back(*tree);
    }
    watch::Watcher watcher{settings};
    Troubles troubles{settings.once, context};
    do {
        const auto look = watcher.look(watch::Now::read());
        troubles.tell(look.trouble);
        for (const auto& place : look.complete) {
            if (stop::requested()) {
                return;
            }
            try {
                if (auto claim = watcher.claim(place)) {
                    hand_over(std::move(*claim), command, watcher, context);
                }
            } catch (const Error& error) {
                context.fail(place.path(), error);
                watcher.failed(place, watch::Now::read());
            }
        }
    } while (!settings.once && stop::sleep(watcher.pause()));
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, watch_trees);
}
