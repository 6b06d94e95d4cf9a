/// \file dpipe-zip: pack study folders, one ZIP a study, and print where they went.

#include "archive/zip.hpp"
#include "cli/command.hpp"
#include "core/secret.hpp"

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
    cli::Size max_part;
    std::optional<fs::path> password_file;
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
    words
        .option(
            "--encrypt", options.password_file, "FILE",
            "encrypt the files by AES-256 under the password in FILE's first line")
        .shows("the environment's DPIPE_ZIP_PASSWORD");
    words.refuse_secret("--password", "--encrypt, or DPIPE_ZIP_PASSWORD in the environment");
    words.option(
        "--max-part", options.max_part, "SIZE", "a larger study becomes several ZIPs of whole series: 1800M");
    words.overwrite(options.zip.overwrite);
    words.dry_run(options.zip.dry_run);
    words.jobs(options.zip.form.jobs);
}

void pack(const Options& options, cli::Context& context)
{
    auto settings = options.zip;
    settings.form.compression = options.compress ? archive::Compression::Deflate : archive::Compression::None;
    settings.form.password = read_secret(options.password_file, "DPIPE_ZIP_PASSWORD");
    settings.max_part = options.max_part.bytes;
    archive::Zipper zipper{settings};
    context.require_inputs();
    const auto tell = [&](const archive::PackedStudy& packed) {
        context.progress().add(packed.part == packed.parts ? 1 : 0, packed.bytes);
        Record record{packed.path, packed.status};
        record.set("StudyInstanceUID", packed.study_uid)
            .set("instances", static_cast<std::int64_t>(packed.instances))
            .set("files", static_cast<std::int64_t>(packed.files))
            .set("bytes", static_cast<std::int64_t>(packed.bytes));
        if (packed.parts > 1) {
            record.set("part", static_cast<std::int64_t>(packed.part))
                .set("parts", static_cast<std::int64_t>(packed.parts));
        }
        if (settings.dry_run) {
            record.set("dry_run", true);
        }
        context.emit(record);
    };
    while (const auto study_folder = context.next_input()) {
        try {
            zipper.pack(*study_folder, tell);
        } catch (const Error& error) {
            context.fail(*study_folder, error);
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, pack);
}
