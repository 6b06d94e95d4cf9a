/// \file dpipe-filter: keep or reject instances by rules, and say why.

#include "cli/command.hpp"
#include "core/log.hpp"
#include "core/output_file.hpp"
#include "filter/batch.hpp"
#include "filter/quick_rules.hpp"
#include "filter/rules.hpp"

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-filter",
    .summary = "Keep or reject instances by rules, with the reason for each rejection.",
    .usage = "(--rules NAME|FILE | --modality LIST | ...) [-o DIR] [--reject DIR] INPUT...",
    .examples = "  dpipe-filter --rules identifiable -o clean/ --reject kept-back/ raw/\n"
                "  dpipe-filter --modality CT,MR --original-only raw/ | dpipe-anon -m link.db -o anon/ -\n"
                "  dpipe-filter --rules rules.json --list --json raw/ | jq -r .reason | sort | uniq -c\n"};

struct Options {
    std::vector<std::string> rules;
    filter::QuickRules quick;
    std::optional<std::string> print_rules;
    std::optional<fs::path> out;
    std::optional<fs::path> reject;
    std::optional<std::string> layout;
    std::optional<fs::path> report;
    bool link = false;
    bool list = false;
    bool overwrite = false;
    bool dry_run = false;
};

void declare(cli::Words& words, Options& options)
{
    words.inputs("INPUT", "an instance, or a folder of them; '-' reads them from stdin");
    words.group("What is kept");
    words.option(
        "--rules", options.rules, "NAME|FILE",
        "ready-made rules or a rule file; given twice, both must keep an instance");
    words.option("--modality", options.quick.modalities, "LIST", "keep these only: CT,MR");
    words.option("--not-modality", options.quick.not_modalities, "LIST", "reject these: SR,PR,RT*");
    words.flag("--original-only", options.quick.original_only, "reject images that are not ORIGINAL");
    words.option("--uids", options.quick.uids, "FILE", "keep only the studies, series and instances in FILE");
    words.option("--not-uids", options.quick.not_uids, "FILE", "reject those in FILE");
    words.option(
        "--print-rules", options.print_rules, "NAME", "print ready-made rules, to be copied, and end");
    words.group("Where it goes");
    words.option("-o,--out", options.out, "DIR", "copy what is kept below DIR, and print the copies");
    words.option("--reject", options.reject, "DIR", "copy what is not kept below DIR");
    words
        .option(
            "--layout", options.layout, "NAME|TEMPLATE",
            "how copies are named, a layout's name or a template over keywords")
        .shows("as in the input");
    words.flag("--link", options.link, "make hard links instead of copies");
    words.flag("--list", options.list, "print what is not kept instead of what is");
    words.option(
        "--report", options.report, "FILE",
        "write what is not kept to FILE, a line of JSON each, with the reason");
    words.overwrite(options.overwrite);
    words.dry_run(options.dry_run);
}

filter::Filter filter_of(const Options& options)
{
    filter::Filter filter;
    for (const auto& rules : options.rules) {
        filter.add(filter::load_rules(rules));
    }
    filter::add_quick_rules(filter, options.quick);
    if (filter.empty()) {
        throw Error{ErrorKind::Usage, "no rules given (--rules, --modality, --original-only, --uids)"};
    }
    return filter;
}

/// What both folders have in common; nothing where none is named.
std::optional<filter::Destination::Settings> settings_for(
    const std::optional<fs::path>& folder, const Options& options)
{
    if (!folder) {
        return std::nullopt;
    }
    return filter::Destination::Settings{
        .folder = *folder,
        .layout = options.layout ? std::optional{dicom::Layout{*options.layout}} : std::nullopt,
        .transfer = options.link ? filter::Transfer::Link : filter::Transfer::Copy,
        .overwrite = options.overwrite,
        .dry_run = options.dry_run};
}

void sort_out(const Options& options, cli::Context& context)
{
    const auto filter = filter_of(options);
    context.require_inputs();
    filter::Batch batch{
        filter,
        {.kept = settings_for(options.out, options),
         .rejected = settings_for(options.reject, options),
         .report = options.report,
         .list_rejected = options.list,
         .dry_run = options.dry_run},
        {.emit = [&](const Record& record) { context.emit(record); },
         .fail = [&](const fs::path& path, const Error& error) { context.fail(path, error); },
         .progress = [&](auto items, auto bytes) { context.progress().add(items, bytes); }}};
    while (const auto input = context.next_input()) {
        batch.take(*input);
    }
    log::info("{}", batch.finish());
}

void print(std::string_view text)
{
    write_all(STDOUT_FILENO, text, "stdout");
}

void work(const Options& options, cli::Context& context)
{
    if (options.print_rules) {
        print(filter::ready_made_rules(*options.print_rules));
        return;
    }
    sort_out(options, context);
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, work);
}
