#include "watch/receiver_events.hpp"

#include "core/error.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace dcmpipe::watch {

namespace fs = std::filesystem;

namespace {

bool is_below(const fs::path& path, const fs::path& folder)
{
    const auto& text = path.native();
    const auto& above = folder.native();
    return text.starts_with(above) && (text.size() == above.size() || text[above.size()] == '/');
}

fs::path resolved(const fs::path& path)
{
    std::error_code error;
    auto result = fs::weakly_canonical(path, error);
    return error ? path : result;
}

} // namespace

/// What was open is read to its end before what has taken its name.
void ReceiverEvents::read()
{
    Fd named{::open(file_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!named && errno != ENOENT) {
        throw Error::from_errno(ErrorKind::Input, "cannot read", file_.string());
    }
    read_on();
    struct stat ours {};
    struct stat theirs {};
    const bool same = open_ && named && ::fstat(open_.get(), &ours) == 0 &&
                      ::fstat(named.get(), &theirs) == 0 && ours.st_ino == theirs.st_ino &&
                      ours.st_dev == theirs.st_dev;
    if (named && !same) {
        open_ = std::move(named);
        rest_.clear();
        read_on();
    }
}

void ReceiverEvents::read_on()
{
    std::array<char, 65536> buffer;
    while (open_) {
        const auto count = ::read(open_.get(), buffer.data(), buffer.size());
        if (count < 0) {
            throw Error::from_errno(ErrorKind::Input, "cannot read", file_.string());
        }
        if (count == 0) {
            return;
        }
        rest_.append(buffer.data(), static_cast<std::size_t>(count));
        std::size_t start = 0;
        for (auto end = rest_.find('\n'); end != rest_.npos; end = rest_.find('\n', start)) {
            take(std::string_view{rest_}.substr(start, end - start));
            start = end + 1;
        }
        rest_.erase(0, start);
    }
}

void ReceiverEvents::take(std::string_view line)
{
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (!event.is_object() || !event.contains("association") || !event["association"].is_number_unsigned()) {
        return;
    }
    const auto association = event["association"].get<std::uint64_t>();
    const auto kind = event.value("event", "");
    if (kind == "opened") {
        if (association <= last_association_) {
            receiver_started();
        }
        last_association_ = association;
    } else if (kind == "stored") {
        const auto path = event.value("path", "");
        if (!path.empty()) {
            folders_[resolved(fs::path{path}.parent_path())].open.insert(association);
        }
    } else if (kind == "closed") {
        closed(association, event.value("released", false));
    }
}

/// What it had open before broke off with it.
void ReceiverEvents::receiver_started()
{
    for (auto& [folder, received] : folders_) {
        received.broken_off = received.broken_off || !received.open.empty();
        received.broken_off_at = 0;
        received.open.clear();
    }
}

void ReceiverEvents::closed(std::uint64_t association, bool released)
{
    for (auto& [folder, received] : folders_) {
        if (received.open.erase(association) == 0) {
            continue;
        }
        if (!released) {
            received.broken_off = true;
            received.broken_off_at = last_association_;
        } else if (association > received.broken_off_at) {
            received.broken_off = false; // who came again and releases has said all that there was to say
        }
    }
}

bool ReceiverEvents::all_released(const fs::path& folder) const
{
    const auto root = resolved(folder);
    bool any = false;
    for (auto found = folders_.lower_bound(root); found != folders_.end() && is_below(found->first, root);
         ++found) {
        if (!found->second.open.empty() || found->second.broken_off) {
            return false;
        }
        any = true;
    }
    return any;
}

} // namespace dcmpipe::watch
