/// \file dpipe-dicomdir: copy instances to media, with a DICOMDIR.

#include "archive/media.hpp"
#include "cli/command.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-dicomdir",
    .summary = "Copy instances to media, with a DICOMDIR.",
    .usage = "-o DIR [OPTIONS] INPUT...",
    .examples = "  dpipe-dicomdir -o media/ anon/\n"
                "  find anon/ -name '*.dcm' | dpipe-dicomdir -o /media/usb -\n"};

void declare(cli::Words& words, archive::MediaSettings& settings)
{
    words.inputs("INPUT", "a DICOM file, or a folder with such; '-' reads them from stdin");
    words.out(settings.out_dir, "the media: a folder or a mounted medium").required();
    std::vector<std::pair<std::string_view, const archive::MediaProfile*>> profiles{
        {"none", &archive::no_media_profile}};
    for (const auto& profile : archive::media_profiles()) {
        profiles.emplace_back(profile.name, &profile);
    }
    words.choice("--profile", settings.profile, profiles, "only what this profile of PS3.11 allows")
        .shows("none");
    words.flag("--update", settings.update, "add to the media that stands in DIR");
    words.overwrite(settings.overwrite);
    words.jobs(settings.jobs);
}

void tell(const fs::path& file, archive::MediaInput kind)
{
    using archive::MediaInput;
    switch (kind) {
    case MediaInput::Instance:
        return;
    case MediaInput::NotDicom:
        return log::warning("'{}' is left out: not a DICOM file", file.string());
    case MediaInput::Directory:
        return log::warning("'{}' is left out: a DICOMDIR, and a new one is made", file.string());
    case MediaInput::Repeated:
        return log::info("'{}' is left out: the same instance is there already", file.string());
    case MediaInput::OwnOutput:
        return log::debug("'{}' is left out: it is in the output folder", file.string());
    }
}

void make_media(const archive::MediaSettings& settings, cli::Context& context)
{
    if (settings.update && settings.overwrite) {
        throw Error{ErrorKind::Usage, "either --update or --overwrite, not both"};
    }
    archive::MediaWriter media{
        settings,
        {.taken_in = tell,
         .failed = [&](const fs::path& file, const Error& error) { context.fail(file, error); },
         .copied = [&](std::uint64_t bytes) { context.progress().add(1, bytes); }}};
    std::uint64_t files = 0;
    context.visit_files([&](const fs::path& file) {
        context.progress().expect(++files);
        media.add(file);
    });
    if (stop::requested()) {
        return;
    }
    const auto made = media.write();
    if (made.other_syntaxes > 0 && settings.profile == &archive::no_media_profile) {
        log::info(
            "{} instances are not in Explicit VR Little Endian, which readers of General Purpose media may "
            "expect",
            made.other_syntaxes);
    }
    context.emit(Record{made.dicomdir, made.status}
                     .set("patients", static_cast<std::int64_t>(made.counts.patients))
                     .set("studies", static_cast<std::int64_t>(made.counts.studies))
                     .set("series", static_cast<std::int64_t>(made.counts.series))
                     .set("instances", static_cast<std::int64_t>(made.counts.instances))
                     .set("added", static_cast<std::int64_t>(made.added))
                     .set("bytes", static_cast<std::int64_t>(made.bytes)));
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<archive::MediaSettings>(about, argc, argv, declare, make_media);
}
