#include "send/source.hpp"

#include "archive/zip_reader.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"

#include <fmt/format.h>

namespace dcmpipe::send {

namespace fs = std::filesystem;

namespace {

void give(const std::string& name, std::optional<Item> item, const OnItem& on_item)
{
    if (item) {
        on_item(std::move(*item));
    } else {
        log::info("passed over '{}': a DICOMDIR", name);
    }
}

bool is_hidden(const std::string& name)
{
    return name.ends_with('/') || name.starts_with('.') || name.find("/.") != name.npos;
}

void read_zip(const fs::path& path, const OnItem& on_item, const OnBadEntry& on_bad)
{
    const archive::ZipReader zip{path};
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        throw Error::from_errno(ErrorKind::Input, "cannot read", path.string());
    }
    for (std::uint64_t entry = 0; entry < zip.entries() && !stop::requested(); ++entry) {
        if (is_hidden(zip.name(entry))) {
            continue;
        }
        const auto name = fmt::format("{}#{}", path.string(), entry);
        try {
            const auto fd = zip.unpack(entry);
            give(name, examine_entry(path, entry, stamp_of(status), fd.get()), on_item);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Input && error.kind() != ErrorKind::Refused) {
                throw;
            }
            on_bad(name, Error{error.kind(), "cannot send", name, error.reason()});
        }
    }
}

} // namespace

void read_items(const fs::path& file, bool zip, const OnItem& on_item, const OnBadEntry& on_bad)
{
    if (zip) {
        read_zip(file, on_item, on_bad);
    } else {
        give(file.string(), examine(file), on_item);
    }
}

void ZipTallies::begin(const fs::path& zip)
{
    const std::lock_guard lock{mutex_};
    ++tallies_[zip].open;
}

std::optional<ZipTallies::Verdict> ZipTallies::end(const fs::path& zip, Verdict verdict)
{
    const std::lock_guard lock{mutex_};
    auto& tally = tallies_.at(zip);
    tally.sent = tally.sent || verdict == Verdict::AllSent;
    tally.failed = tally.failed || verdict == Verdict::Failed;
    if (--tally.open > 0) {
        return std::nullopt;
    }
    const auto total = tally.failed ? Verdict::Failed
                       : tally.sent ? Verdict::AllSent
                                    : Verdict::AllSentBefore;
    tallies_.erase(zip);
    return total;
}

} // namespace dcmpipe::send
