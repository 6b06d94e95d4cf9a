#include "pseudonym/audit.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/output_file.hpp"
#include "core/utc_time.hpp"

#include <algorithm>

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

constexpr std::string_view first_mac = "first";

std::string user_name()
{
    const passwd* const entry = ::getpwuid(::getuid()); // NOLINT(concurrency-mt-unsafe): one thread logs
    const std::string name = entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::getuid());
    const char* const behind = std::getenv("SUDO_USER"); // NOLINT(concurrency-mt-unsafe)
    return behind != nullptr ? fmt::format("{} ({})", name, behind) : name;
}

std::string mac_of(const Key& key, std::string_view previous, std::string_view line)
{
    const auto token = key.token("audit", {previous, line});
    return fmt::format("{:02x}", fmt::join(token.begin(), token.begin() + 16, ""));
}

/// A line without its MAC, which stands last.
std::string without_mac(Json line)
{
    line.erase("mac");
    return line.dump();
}

/// The MAC of the last whole line; a line that was cut short by a crash is none.
std::string last_mac(std::string_view text)
{
    while (!text.empty()) {
        const auto end = text.rfind('\n');
        if (end == text.npos) {
            break;
        }
        const auto start = text.substr(0, end).rfind('\n') + 1; // npos + 1 is 0
        const auto line = Json::parse(text.substr(start, end - start), nullptr, false);
        if (line.is_object() && line.contains("mac")) {
            return line["mac"].get<std::string>();
        }
        text = text.substr(0, start);
    }
    return std::string{first_mac};
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
    Json line{
        {"time", utc_now()},
        {"user", user_name()},
        {"program", program},
        {"action", action},
        {"of", of_whom}};
    line["mac"] = mac_of(key_, last_mac(tail), without_mac(line));
    const auto text = (tail.empty() || tail.back() == '\n' ? "" : "\n") + line.dump() + "\n";
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fdatasync(file.get()) != 0) {
        throw refuse();
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
    if (!fs::exists(path_)) {
        return verdict;
    }
    const auto text = read_text_file(path_);
    std::string previous{first_mac};
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find('\n', start), text.size());
        const auto line = Json::parse(text.substr(start, end - start), nullptr, false);
        ++verdict.lines;
        start = end + 1;
        if (!line.is_object() || !line.contains("mac")) {
            verdict.faults.push_back(fmt::format("line {} was cut short", verdict.lines));
            continue;
        }
        const auto mac = line["mac"].get<std::string>();
        if (mac != mac_of(key_, previous, without_mac(line))) {
            verdict.faults.push_back(
                fmt::format("line {} was changed, or a line before it taken out", verdict.lines));
        }
        previous = mac;
    }
    return verdict;
}

fs::path default_audit_log(const fs::path& map)
{
    return fs::path{map}.replace_extension(".audit.jsonl");
}

} // namespace dcmpipe::pseudonym
