#include "upload/stow_journal.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/output_file.hpp"
#include "core/stop.hpp"
#include "core/utc_time.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::upload {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

StowJournal::StowJournal(const fs::path& input, std::string url) : url_(std::move(url))
{
    const auto name = fs::absolute(input).lexically_normal();
    path_ = name.has_filename() ? name : name.parent_path();
    path_ += ".receipt.jsonl";
}

StowJournal StowJournal::look(const fs::path& input, const std::string& url)
{
    StowJournal journal{input, url};
    std::error_code ignored;
    if (fs::exists(journal.path_, ignored)) {
        journal.read();
    }
    return journal;
}

StowJournal StowJournal::open(const fs::path& input, const std::string& url)
{
    StowJournal journal{input, url};
    journal.fd_ = Fd{::open(journal.path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640)};
    if (!journal.fd_) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", journal.path_.string());
    }
    while (::flock(journal.fd_.get(), LOCK_EX) != 0 && errno == EINTR) {
        if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopped while waiting for another upload"};
        }
    }
    journal.read();
    return journal;
}

/// A last line without its end was cut by a kill or a full disk: it does not count, and goes.
void StowJournal::read()
{
    const auto text = read_text_file(path_);
    const auto whole = text.rfind('\n') == text.npos ? 0 : text.rfind('\n') + 1;
    if (fd_ && whole < text.size() && ::ftruncate(fd_.get(), static_cast<off_t>(whole)) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", path_.string());
    }
    std::size_t number = 0;
    for (std::size_t start = 0; start < whole;) {
        const auto end = text.find('\n', start);
        ++number;
        try {
            const auto json = nlohmann::json::parse(text.substr(start, end - start));
            Entry entry{
                json.at("SOPInstanceUID"), json.at("sha256"), json.at("bytes"), json.at("http_status")};
            if (json.at("url") == url_) {
                confirmed_.insert_or_assign(entry.instance_uid, entry);
            }
        } catch (const nlohmann::json::exception&) {
            throw Error{
                ErrorKind::Input, "cannot read the receipt", path_.string(),
                fmt::format("line {}: a key is missing or wrong", number)};
        }
        start = end + 1;
    }
}

const StowJournal::Entry* StowJournal::find(const std::string& instance_uid) const
{
    const auto found = confirmed_.find(instance_uid);
    return found == confirmed_.end() ? nullptr : &found->second;
}

void StowJournal::add(const std::vector<Entry>& entries)
{
    std::string lines;
    const auto time = utc_now();
    for (const auto& entry : entries) {
        const Json json{{"url", url_},
                        {"SOPInstanceUID", entry.instance_uid},
                        {"sha256", entry.sha256},
                        {"bytes", entry.bytes},
                        {"time", time},
                        {"http_status", entry.http_status}};
        lines += json.dump() + "\n";
    }
    const auto before = ::lseek(fd_.get(), 0, SEEK_END);
    try {
        write_all(fd_.get(), lines, path_);
    } catch (const Error&) {
        // Half a line would stand in the way of the next.
        static_cast<void>(::ftruncate(fd_.get(), before));
        throw;
    }
    if (::fdatasync(fd_.get()) != 0) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", path_.string());
    }
    sync_folder(path_.parent_path());
    for (const auto& entry : entries) {
        confirmed_.insert_or_assign(entry.instance_uid, entry);
    }
}

} // namespace dcmpipe::upload
