#include "pseudonym/audit.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/output_file.hpp"
#include "core/utc_time.hpp"
#include "pseudonym/map.hpp"

#include <algorithm>
#include <sstream>

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::pseudonym {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

std::string user_name()
{
    const passwd* const entry = ::getpwuid(::getuid()); // NOLINT(concurrency-mt-unsafe): one thread logs
    const std::string name = entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::getuid());
    const char* const behind = std::getenv("SUDO_USER"); // NOLINT(concurrency-mt-unsafe)
    return behind != nullptr ? fmt::format("{} ({})", name, behind) : name;
}

std::string hex_of(const Key::Token& token)
{
    return fmt::format("{:02x}", fmt::join(token.begin(), token.begin() + 16, ""));
}

std::string mac_of(const Key& key, std::string_view previous, std::string_view line)
{
    return hex_of(key.token("audit", {previous, line}));
}

bool is_line(const Json& line)
{
    return line.is_object() && line.contains("mac") && line["mac"].is_string() && line.contains("n") &&
           line["n"].is_number_unsigned();
}

/// A line without its MAC, which stands last.
std::string without_mac(Json line)
{
    line.erase("mac");
    return line.dump();
}

/// The end of the file: enough for its last lines.
std::string tail_of(int fd)
{
    constexpr off_t enough = 64 * 1024;
    const off_t size = ::lseek(fd, 0, SEEK_END);
    std::string text(static_cast<std::size_t>(std::min(size, enough)), '\0');
    const auto got = ::pread(fd, text.data(), text.size(), size - static_cast<off_t>(text.size()));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

} // namespace

/// The last whole line; one that was cut short by a crash is none.
AuditLog::End AuditLog::last_line(std::string_view text)
{
    while (!text.empty()) {
        const auto end = text.rfind('\n');
        if (end == text.npos) {
            break;
        }
        const auto start = text.substr(0, end).rfind('\n') + 1; // npos + 1 is 0
        const auto line = Json::parse(text.substr(start, end - start), nullptr, false);
        if (is_line(line)) {
            return {line["n"].get<std::uint64_t>(), line["mac"].get<std::string>()};
        }
        text = text.substr(0, start);
    }
    return {};
}

/// What was stored as `number mac`.
std::optional<AuditLog::End> AuditLog::remembered() const
{
    std::istringstream stored{anchor_.load ? anchor_.load() : std::string{}};
    End end;
    return stored >> end.number >> end.mac ? std::optional{end} : std::nullopt;
}

void AuditLog::append(
    std::string_view program, std::string_view action, const std::vector<std::string>& of_whom)
{
    const auto refuse = [&] {
        const auto why = Error::from_errno(ErrorKind::Refused, "cannot write the audit log", path_.string());
        return Error{
            ErrorKind::Refused, "cannot write the audit log", path_.string(),
            why.reason() + ": nothing is revealed"};
    };
    const Fd file{::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    if (!file || ::flock(file.get(), LOCK_EX) != 0) {
        throw refuse();
    }
    const auto tail = tail_of(file.get());
    auto last = last_line(tail);
    // A log that lost what is known of it goes on behind what is known: the gap must not close again.
    const auto known = remembered();
    if (known && tail.find(known->mac) == tail.npos && read_text_file(path_).find(known->mac) == tail.npos) {
        last = *known;
    }
    Json line{{"n", last.number + 1}, {"time", utc_now()}, {"user", user_name()},
              {"program", program},   {"action", action},  {"of", of_whom}};
    const auto mac = mac_of(key_, last.mac, without_mac(line));
    line["mac"] = mac;
    const auto text = (tail.empty() || tail.back() == '\n' ? "" : "\n") + line.dump() + "\n";
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fdatasync(file.get()) != 0) {
        throw refuse();
    }
    if (anchor_.store) {
        anchor_.store(fmt::format("{} {}", last.number + 1, mac));
    }
}

void AuditLog::append_once(
    std::string_view program, std::string_view action, const std::vector<std::string>& of_whom)
{
    auto line = of_whom;
    line.emplace_back(program);
    line.emplace_back(action);
    // Known only once it is written: a log that fails now must fail the next look as well.
    if (!written_.contains(line)) {
        append(program, action, of_whom);
        written_.insert(std::move(line));
    }
}

AuditLog::Verdict AuditLog::verify() const
{
    Verdict verdict;
    const auto text = fs::exists(path_) ? read_text_file(path_) : std::string{};
    const auto known = remembered();
    End last;
    bool known_is_there = !known;
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find('\n', start), text.size());
        const auto line = Json::parse(text.substr(start, end - start), nullptr, false);
        ++verdict.lines;
        start = end + 1;
        if (!is_line(line)) {
            verdict.faults.push_back(fmt::format("line {} was cut short", verdict.lines));
            continue;
        }
        const End here{line["n"].get<std::uint64_t>(), line["mac"].get<std::string>()};
        if (here.mac != mac_of(key_, last.mac, without_mac(line)) || here.number != last.number + 1) {
            verdict.faults.push_back(
                fmt::format("line {} was changed, or a line before it taken out", verdict.lines));
        }
        known_is_there = known_is_there || (here.number == known->number && here.mac == known->mac);
        last = here;
    }
    if (!known_is_there) {
        verdict.faults.push_back(fmt::format(
            "its end was cut off: the map knows of {} lines, the last one here is {}", known->number,
            last.number));
    }
    return verdict;
}

AuditAnchor anchor_in(Map& map, const fs::path& log, const RestoreKey* restore_key)
{
    const auto name = "audit " + log.filename().string();
    AuditAnchor anchor{[&map, name, restore_key] { return map.note(name, restore_key); }, {}};
    if (restore_key != nullptr) {
        anchor.store = [&map, name, key = *restore_key](const std::string& end) {
            map.set_note(name, end, key);
        };
    }
    return anchor;
}

fs::path default_audit_log(const fs::path& map)
{
    return fs::path{map}.replace_extension(".audit.jsonl");
}

} // namespace dcmpipe::pseudonym
