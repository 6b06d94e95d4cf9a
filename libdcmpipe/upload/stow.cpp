#include "upload/stow.hpp"

#include "core/files.hpp"
#include "core/stop.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"
#include "upload/multipart.hpp"
#include "upload/stow_answer.hpp"

#include <set>

#include <fcntl.h>

#include <fmt/format.h>

namespace dcmpipe::upload {

namespace fs = std::filesystem;

namespace {

std::string digest_of(const fs::path& file)
{
    const Fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    return sha256_of(fd.get(), file);
}

/// Statuses whose body tells of each instance (PS3.18 Table 10.5.3-1).
bool tells_of_each(int status)
{
    return status == 200 || status == 202 || status == 409;
}

} // namespace

StowSender::StowSender(const UploadSettings& settings, Credentials credentials, StowBatch batch)
    : batch_(batch), url_(checked_url(settings.url) + "/studies"),
      session_(
          {.login_url = {}, .basic = true, .may_be_open = true}, std::move(credentials), settings.http,
          settings.max_retries, settings.backoff)
{
}

/// What is to be sent; what the receipt has already is counted.
std::vector<StowSender::Item> StowSender::collect(
    const fs::path& input, const StowJournal& journal, StowResult& result)
{
    std::vector<Item> items;
    std::set<std::string> seen;
    for (const fs::path file : files_below(input)) {
        try {
            const auto head = dicom::Instance::open_head(file, dicom::tags::SOPInstanceUID);
            if (head.sop_class_uid() == dicom::uid::MediaStorageDirectoryStorage) {
                continue;
            }
            Item item{file, std::string{head.instance_uid()}, head.bytes().size()};
            if (item.instance_uid.empty() || !dicom::has_prefix(head.bytes())) {
                throw Error{
                    ErrorKind::Input, "cannot send", file.string(),
                    item.instance_uid.empty() ? "it has no SOP Instance UID" : "no DICOM file (PS3.10)"};
            }
            if (!seen.insert(item.instance_uid).second) {
                throw Error{
                    ErrorKind::Input, "cannot send", file.string(),
                    "another file has the same SOP Instance UID"};
            }
            const auto* const known = journal.find(item.instance_uid);
            if (known != nullptr && known->bytes == item.size && known->sha256 == digest_of(file)) {
                ++result.skipped;
            } else {
                items.push_back(std::move(item));
            }
        } catch (const Error& error) {
            result.failures.push_back(error);
        }
    }
    return items;
}

void StowSender::send_batch(std::span<const Item> items, StowJournal& journal, StowResult& result)
{
    std::vector<const Item*> left;
    for (const auto& item : items) {
        left.push_back(&item);
    }
    int status = 0;
    const auto post = [&](HttpClient& http, const std::string& authorization) -> std::optional<Setback> {
        Multipart body{"application/dicom"};
        for (const auto* const item : left) {
            body.add(item->file);
        }
        const std::vector<std::string> headers =
            authorization.empty() ? std::vector<std::string>{} : std::vector{authorization};
        const auto answer = http.post_parts(url_, body, "application/dicom+json", headers);
        status = answer.status;
        const auto told = tells_of_each(status) ? read_stow_answer(answer.body) : std::nullopt;
        if (!told) {
            if (auto setback = setback_in(answer, "cannot store", url_)) {
                return setback;
            }
            return Setback{
                Verdict::Refused, Error{
                                      ErrorKind::Output, "cannot store", url_,
                                      says(answer) + " and no DICOM JSON: is it STOW-RS?"}};
        }
        std::vector<StowJournal::Entry> stored;
        std::vector<const Item*> again;
        for (std::size_t part = 0; part < left.size(); ++part) {
            const auto* const item = left[part];
            const auto failed = told->failed.find(item->instance_uid);
            if (told->stored.count(item->instance_uid) > 0) {
                stored.push_back({item->instance_uid, body.sha256(part), item->size, status});
                result.bytes += item->size;
            } else if (failed != told->failed.end() && !may_pass(failed->second)) {
                result.failures.emplace_back(
                    ErrorKind::Output, "cannot store", item->file.string(),
                    fmt::format("the server refused it with failure reason {:04X}", failed->second));
            } else {
                again.push_back(item);
            }
        }
        journal.add(stored);
        result.sent += stored.size();
        left = std::move(again);
        if (left.empty()) {
            return std::nullopt;
        }
        return Setback{
            Verdict::TryLater,
            Error{
                ErrorKind::Output, "cannot store", left.front()->file.string(),
                left.size() == 1 ? std::string{"the server did not take it"}
                                 : fmt::format("the server did not take it, nor {} more", left.size() - 1)},
            answer.retry_after};
    };
    try {
        session_.exchange(post);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Output && error.kind() != ErrorKind::Input) {
            throw;
        }
        // Too large for this server: what it takes is for it to say.
        if (status == 413 && items.size() > 1) {
            send_batch(items.first(items.size() / 2), journal, result);
            send_batch(items.subspan(items.size() / 2), journal, result);
            return;
        }
        result.failures.push_back(error);
    }
}

StowResult StowSender::plan(const fs::path& input)
{
    StowResult result;
    const auto journal = StowJournal::look(input, url_);
    result.receipt = journal.path();
    for (const auto& item : collect(input, journal, result)) {
        ++result.sent;
        result.bytes += item.size;
    }
    return result;
}

StowResult StowSender::send(const fs::path& input)
{
    StowResult result;
    auto journal = StowJournal::open(input, url_);
    result.receipt = journal.path();
    const auto items = collect(input, journal, result);
    for (std::size_t start = 0; start < items.size();) {
        if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopped between two requests"};
        }
        std::uint64_t bytes = 0;
        auto end = start;
        while (end < items.size() && end - start < batch_.instances &&
               (end == start || bytes + items[end].size <= batch_.bytes)) {
            bytes += items[end++].size;
        }
        send_batch(std::span{items}.subspan(start, end - start), journal, result);
        start = end;
    }
    if (result.sent + result.skipped == 0 && result.failures.empty()) {
        throw Error{ErrorKind::Input, "cannot send", input.string(), "no instance in it"};
    }
    return result;
}

} // namespace dcmpipe::upload
