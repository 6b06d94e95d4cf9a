/// \file dpipe-watch: find study folders that are complete; print each, or run a command for it.

#include "cli/command.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "watch/command.hpp"
#include "watch/crew.hpp"
#include "watch/watcher.hpp"

#include <optional>
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
    unsigned jobs = 1;
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
    words.option("-j,--jobs", options.jobs, "N", "--exec: commands at a time").shows("1");
    words
        .option(
            "--max-age", options.watch.max_age, "SECONDS",
            "leave a study alone whose last change is longer ago; one that failed so long is given up")
        .shows("no limit");
    words.option("--depth", options.watch.depth, "N", "study folders are the folders N levels down")
        .shows("those with a marker");
}

/// Prints the study; after that, and never before, it is done.
void print(watch::Claim claim, watch::Watcher& watcher, cli::Context& context)
{
    context.emit(Record{claim.place().path()}
                     .set("revision", static_cast<std::int64_t>(claim.revision()))
                     .set("files", static_cast<std::int64_t>(claim.snapshot().files))
                     .set("bytes", static_cast<std::int64_t>(claim.snapshot().bytes)));
    context.progress().add(1, claim.snapshot().bytes);
    watcher.done(std::move(claim));
}

/// Runs the command for studies; one that ended well is done.
class Executor {
public:
    Executor(const watch::Command& command, unsigned jobs, watch::Watcher& watcher, cli::Context& context)
        : crew_(command, jobs), watcher_(watcher), context_(context)
    {
    }

    /// Room for one more; waits for it.
    void make_room()
    {
        while (crew_.is_full()) {
            take_in(true);
        }
    }

    void start(watch::Claim claim) { crew_.start(std::move(claim)); }

    void take_in(bool wait)
    {
        for (auto& ended : crew_.ended(wait)) {
            const auto place = ended.claim.place();
            try {
                if (ended.error) {
                    throw Error{*ended.error};
                }
                if (ended.code != 0) {
                    throw Error{
                        ErrorKind::Output, "the command failed for", place.path().string(),
                        fmt::format("exit code {}", ended.code)};
                }
                context_.progress().add(1, ended.claim.snapshot().bytes);
                watcher_.recorded(ended.claim);
            } catch (const Error& error) {
                context_.fail(place.path(), error);
                watcher_.failed(place, watch::Now::read());
            }
        }
    }

    void finish()
    {
        while (!crew_.is_idle()) {
            take_in(true);
        }
    }

private:
    watch::Crew crew_;
    watch::Watcher& watcher_;
    cli::Context& context_;
};

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

void give_up(const watch::StudyPlace& place, cli::Context& context)
{
    context.fail(
        place.path(), Error{
                          ErrorKind::Output, "gave up", place.path().string(),
                          "it was begun and never done, and its last change is longer ago than --max-age"});
}

void watch_trees(const Options& options, cli::Context& context)
{
    context.require_inputs();
    if (options.jobs == 0) {
        throw Error{ErrorKind::Usage, "--jobs must be 1 or more"};
    }
    const auto command = options.exec ? std::optional<watch::Command>{*options.exec} : std::nullopt;
    auto settings = options.watch;
    while (const auto tree = context.next_input()) {
        settings.trees.push_back(*tree);
    }
    watch::Watcher watcher{settings};
    std::optional<Executor> executor;
    if (command) {
        executor.emplace(*command, options.jobs, watcher, context);
    }
    Troubles troubles{settings.once, context};
    const auto hand_over = [&](const watch::StudyPlace& place) {
        try {
            if (executor) {
                executor->make_room();
            }
            if (stop::requested()) {
                return;
            }
            if (auto claim = watcher.claim(place)) {
                executor ? executor->start(std::move(*claim)) : print(std::move(*claim), watcher, context);
            }
        } catch (const Error& error) {
            context.fail(place.path(), error);
            watcher.failed(place, watch::Now::read());
        }
    };
    do {
        if (executor) {
            executor->take_in(false);
        }
        const auto look = watcher.look(watch::Now::read());
        troubles.tell(look.trouble);
        for (const auto& place : look.given_up) {
            give_up(place, context);
        }
        for (const auto& place : look.complete) {
            if (stop::requested()) {
                break;
            }
            hand_over(place);
        }
    } while (!stop::requested() && !settings.once && stop::sleep(watcher.pause()));
    if (executor) {
        executor->finish();
    }
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, watch_trees);
}
