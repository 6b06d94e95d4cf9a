#pragma once

#include "cli/context.hpp"
#include "cli/words.hpp"

#include <functional>

namespace dcmpipe::cli {

/// Runs a command: declares its words, parses, opens the log, works, and turns whatever happens into
/// messages and an exit code.
int run_command(
    const About& about, int argc, char** argv, const std::function<void(Words&)>& declare,
    const std::function<void(Context&)>& work);

/// main() of every command: `declare` names the options and opens nothing; `work` does the job.
template <class Options>
int run(
    const About& about, int argc, char** argv, void (*declare)(Words&, Options&),
    void (*work)(const Options&, Context&))
{
    Options options;
    return run_command(
        about, argc, argv, [&](Words& words) { declare(words, options); },
        [&](Context& context) { work(options, context); });
}

} // namespace dcmpipe::cli
