#include "net/commitment_queue.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/log.hpp"
#include "core/output_file.hpp"
#include "core/utc_time.hpp"
#include "dicom/uid.hpp"
#include "net/store_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::net {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view folder_name = ".dpipe-commitment";
constexpr std::string_view ending = ".json";
constexpr std::string_view what = "a waiting request for storage commitment";

std::string text_of(const PendingCommitment& pending)
{
    auto references = nlohmann::ordered_json::array();
    for (const auto& one : pending.request.instances) {
        references.push_back(
            {{"ReferencedSOPClassUID", one.sop_class_uid}, {"ReferencedSOPInstanceUID", one.instance_uid}});
    }
    const nlohmann::ordered_json root{
        {"calling_aet", pending.calling_aet},
        {"address", pending.address},
        {"received", utc_now()},
        {"TransactionUID", pending.request.transaction_uid},
        {"ReferencedSOPSequence", std::move(references)}};
    return root.dump(1) + "\n";
}

std::string uid_of(const nlohmann::json& object, const char* keyword)
{
    auto uid = object.at(keyword).get<std::string>();
    if (!dicom::uid::is_valid(uid)) {
        throw Error{ErrorKind::Input, fmt::format("{} is no UID", keyword)};
    }
    return uid;
}

/// Throws Error for what is no request.
PendingCommitment read(const fs::path& path)
try {
    const auto root = read_json_file(what, path);
    PendingCommitment pending{
        .calling_aet = root.at("calling_aet").get<std::string>(),
        .address = root.at("address").get<std::string>(),
        .request = {.transaction_uid = uid_of(root, "TransactionUID"), .instances = {}}};
    for (const auto& one : root.at("ReferencedSOPSequence")) {
        pending.request.instances.push_back(
            {uid_of(one, "ReferencedSOPClassUID"), uid_of(one, "ReferencedSOPInstanceUID")});
    }
    return pending;
} catch (const nlohmann::json::exception&) {
    throw Error{ErrorKind::Input, "a member is missing, or not what it should be"};
}

/// Nothing where another process has it, or it is gone.
std::optional<Fd> lock_of(const fs::path& path)
{
    Fd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
    struct stat file {};
    if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(fd.get(), &file) != 0 ||
        file.st_nlink == 0) {
        return std::nullopt;
    }
    return fd;
}

} // namespace

CommitmentQueue::Entry::Entry(PendingCommitment pending, fs::path path, Fd lock)
    : pending_(std::move(pending)), path_(std::move(path)), lock_(std::move(lock))
{
}

std::chrono::seconds CommitmentQueue::Entry::age() const
{
    struct stat file {};
    const auto since = ::fstat(lock_.get(), &file) == 0 ? file.st_mtim.tv_sec : 0;
    return std::chrono::seconds{std::time(nullptr) - since};
}

void CommitmentQueue::Entry::remove() noexcept
{
    // Where this fails it is reported once more, which is no lie.
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT) {
        log::warning("cannot remove {} that was reported", what);
    }
}

CommitmentQueue::CommitmentQueue(fs::path root) : root_(std::move(root)), folder_(root_ / folder_name) {}

CommitmentQueue::Entry CommitmentQueue::put(PendingCommitment pending) const
{
    if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
        throw Error::from_errno(ErrorKind::Output, "cannot make the folder", folder_.string());
    }
    OutputFile file{root_ / incoming_name, 0600}; // so that a leftover is swept with the others
    file.write(text_of(pending));
    file.sync();
    // The lock is of the open file, whatever its name, so it is ours before anybody can see it.
    Fd lock{::fcntl(file.fd(), F_DUPFD_CLOEXEC, 0)};
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot lock", folder_.string());
    }
    // A peer may use a Transaction UID twice.
    const auto& uid = pending.request.transaction_uid;
    file.rename_result(folder_ / fmt::format("{}{}", uid, ending));
    for (unsigned number = 2; !file.appear(Existing::Keep); ++number) {
        file.rename_result(folder_ / fmt::format("{}~{}{}", uid, number, ending));
    }
    Entry entry{std::move(pending), file.path(), std::move(lock)};
    try {
        sync_folder(folder_);
        sync_folder(root_);
    } catch (const Error&) {
        entry.remove();
        throw;
    }
    return entry;
}

/// Read first and locked then: nobody is kept from what this process does not want.
std::vector<CommitmentQueue::Entry> CommitmentQueue::take(
    const std::function<bool(const PendingCommitment&)>& wanted) const
{
    std::vector<Entry> entries;
    for (const auto& path : files()) {
        try {
            if (wanted && !wanted(read(path))) {
                continue;
            }
            if (auto lock = lock_of(path)) {
                entries.push_back(Entry{read(path), path, std::move(*lock)});
            }
        } catch (const Error& error) {
            if (fs::exists(path)) {
                log::warning("cannot read {}: {}", what, error.reason());
            }
        }
    }
    return entries;
}

bool CommitmentQueue::empty() const
{
    return files().empty();
}

/// In the order of their names.
std::vector<fs::path> CommitmentQueue::files() const
{
    std::vector<fs::path> found;
    std::error_code error;
    fs::directory_iterator entry{folder_, error};
    for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
        const auto name = entry->path().filename().native();
        if (!name.starts_with('.') && name.ends_with(ending)) {
            found.push_back(entry->path());
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace dcmpipe::net
