/// \file dpipe-zip: pack study folders, one ZIP a study, and print where they went.

#include "archive/zip.hpp"
#include "cli/command.hpp"

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-zip",
    .summary = "Pack study folders, one ZIP a study: the same study gives the same bytes.",
    .usage = "-o DIR [OPTIONS] STUDY...",
    .examples = "  dpipe-zip -o zips/ anon/*/*/\n"
                "  dpipe-watch --once anon/ | dpipe-zip -o zips/ - | dpipe-upload --url $URL -\n"};

struct Options {
    archive::ZipSettings zip;
    bool compress = false;
};

void declare(cli::Words& words, Options& options)
{
    words.inputs("STUDY", "a study folder; '-' reads them from stdin");
    words.out(options.zip.out_dir, "where the ZIPs go").required();
    words
        .option(
            "--name", options.zip.name, "TEMPLATE", "the name of a ZIP, out of the study's first instance")
        .shows(options.zip.name);
    words.flag("--compress", options.compress, "deflate the files instead of storing them as they are");
    words.overwrite(options.zip.overwrite);
}

void pack(const Options& options, cli::Context& context)
{
    auto settings = options.zip;
    settings.compression = options.compress ? archive::Compression::Deflate : archive::Compression::None;
    archive::Zipper zipper{settings};
    context.for_each_input([&](const fs::path& study_folder) {
        const auto packed = zipper.pack(study_folder);
        context.progress().add(1, packed.bytes);
        return Record{packed.path, packed.status}
            .set("StudyInstanceUID", packed.study_uid)
            .set("instances", static_cast<std::int64_t>(packed.instances))
            .set("files", static_cast<std::int64_t>(packed.files))
            .set("bytes", static_cast<std::int64_t>(packed.bytes));
    });
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, pack);
}
