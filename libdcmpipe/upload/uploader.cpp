#include "upload/uploader.hpp"

#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/utc_time.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::upload {

namespace {

/// The base URL without its last slash. What it holds goes into messages and receipts.
std::string checked(std::string url)
{
    const auto refuse = [](std::string_view reason) {
        throw Error{ErrorKind::Usage, fmt::format("wrong --url: {}", reason)};
    };
    const std::string_view text = url;
    const bool plain = text.starts_with("http://");
    if (!plain && !text.starts_with("https://")) {
        refuse("it starts with neither https:// nor http://");
    }
    const auto host = text.substr(text.find("//") + 2);
    if (host.substr(0, host.find('/')).find('@') != host.npos) {
        refuse(
            "a user name or password in it would be seen by everybody: use --username and --password-file");
    }
    if (text.find_first_of("?#") != text.npos) {
        refuse("it holds a query");
    }
    const auto name = host.substr(0, host.find_first_of(":/"));
    if (plain && name != "localhost" && !name.starts_with("127.") && !host.starts_with("[::1]")) {
        log::warning("{} is not encrypted: others on the way can read credentials and images", url);
    }
    url.erase(std::min(url.find_last_not_of('/') + 1, url.size()));
    return url;
}

/// The text of a key of a JSON object, numbers too; nothing where the body is none or lacks the key.
std::optional<std::string> text_of(const nlohmann::json& object, std::string_view key)
{
    const auto found = object.find(key);
    if (found == object.end() || found->is_null() || found->is_structured()) {
        return std::nullopt;
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
}

nlohmann::json parsed(const HttpAnswer& answer)
{
    return nlohmann::json::parse(answer.body, nullptr, false);
}

std::string login_json(const Api& api, const Credentials& credentials)
{
    try {
        const nlohmann::ordered_json json{
            {api.username_key, credentials.username}, {api.password_key, credentials.password}};
        return json.dump();
    } catch (const nlohmann::json::exception&) {
        throw Error{ErrorKind::Usage, "the user name or the password is not UTF-8"};
    }
}

/// What the server said, for a message: never its body.
std::string says(const HttpAnswer& answer)
{
    const auto text = fmt::format("the server answered {}", answer.status);
    return answer.retry_after > 0 ? fmt::format("{} and asks to wait {:.0f} s", text, answer.retry_after)
                                  : text;
}

bool is_a_header_value(std::string_view text)
{
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

} // namespace

Uploader::Uploader(UploadSettings settings, Credentials credentials)
    : settings_(std::move(settings)), credentials_(std::move(credentials)), http_(settings_.http)
{
    const auto base = checked(settings_.url);
    login_url_ = fmt::format("{}{}", base, settings_.api->login_path);
    upload_url_ = fmt::format("{}{}", base, settings_.api->upload_path);
}

/// Gets a token. A login that is refused ends the batch: no other file would get one.
std::optional<Uploader::Setback> Uploader::log_in()
{
    const auto answer = http_.post_json(login_url_, login_json(*settings_.api, credentials_));
    const auto error = [&](ErrorKind kind, std::string_view reason) {
        return Error{kind, "cannot log in at", login_url_, reason};
    };
    switch (verdict_of(answer.status)) {
    case Verdict::Taken:
        break;
    case Verdict::TryLater:
        return Setback{Verdict::TryLater, error(ErrorKind::Peer, says(answer)), answer.retry_after};
    case Verdict::LogInAgain:
    case Verdict::Refused:
        throw error(ErrorKind::Usage, says(answer));
    }
    const auto token = text_of(parsed(answer), settings_.api->token_key);
    if (!token || !is_a_header_value(*token)) {
        throw error(
            ErrorKind::Usage, fmt::format("the answer holds no '{}' token", settings_.api->token_key));
    }
    credentials_.token = *token;
    return std::nullopt;
}

std::optional<Uploader::Setback> Uploader::post(const Parcel& parcel, Receipt& receipt)
{
    const FormFile file{
        std::string{settings_.api->file_field}, parcel.path().filename().string(), parcel.fd(),
        parcel.size()};
    const auto answer = http_.post_file(
        upload_url_, file,
        {"Authorization: Bearer " + credentials_.token, "Idempotency-Key: " + parcel.sha256()});
    const auto setback = [&](Verdict verdict, ErrorKind kind, std::string_view hint = {}) {
        const Error error{
            kind, "cannot upload", parcel.path().string(), fmt::format("{}{}", says(answer), hint)};
        return Setback{verdict, error, answer.retry_after};
    };
    switch (const auto verdict = verdict_of(answer.status)) {
    case Verdict::Taken:
        break;
    case Verdict::LogInAgain:
        return setback(verdict, ErrorKind::Usage, ": it does not take the credentials");
    case Verdict::TryLater:
        return setback(verdict, is_busy(answer.status) ? ErrorKind::Peer : ErrorKind::Output);
    case Verdict::Refused:
        return setback(
            verdict, ErrorKind::Output,
            answer.status / 100 == 3 ? ", a redirect: give its target as --url" : "");
    }
    // A proxy that greets with a page of its own says 200 as well.
    const auto body = parsed(answer);
    if (!body.is_object()) {
        return setback(Verdict::Refused, ErrorKind::Output, " without a JSON object: is it the API?");
    }
    receipt = {upload_url_, parcel.sha256(), parcel.size(),
               utc_now(),   answer.status,   text_of(body, settings_.api->id_key).value_or("")};
    return std::nullopt;
}

/// Logs in where there is no token, and uploads.
std::optional<Uploader::Setback> Uploader::attempt(const Parcel& parcel, Receipt& receipt)
{
    try {
        if (credentials_.token.empty()) {
            if (auto setback = log_in()) {
                return setback;
            }
        }
        return post(parcel, receipt);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::Peer) {
            return Setback{Verdict::TryLater, error, 0};
        }
        throw;
    }
}

void Uploader::wait(const Setback& setback, unsigned retry)
{
    const double chance = std::uniform_real_distribution<>{}(chance_);
    const double seconds = settings_.backoff.delay(retry, chance, setback.retry_after);
    log::info(
        "{}; try {} of {} in {:.1f} s", setback.error.what(), retry + 1, settings_.max_retries + 1, seconds);
    if (!stop::sleep(seconds)) {
        throw Error{ErrorKind::Cancelled, "stopped between two tries"};
    }
}

Receipt Uploader::send(const Parcel& parcel)
{
    Receipt receipt;
    bool logged_in_again = credentials_.username.empty();
    for (unsigned retry = 1;;) {
        const auto setback = attempt(parcel, receipt);
        if (!setback) {
            parcel.check_unchanged();
            return receipt;
        }
        if (setback->verdict == Verdict::LogInAgain && !logged_in_again) {
            credentials_.token.clear();
            logged_in_again = true;
            continue;
        }
        const bool too_long = setback->retry_after > settings_.backoff.longest;
        if (setback->verdict != Verdict::TryLater || retry > settings_.max_retries || too_long) {
            throw Error{setback->error};
        }
        wait(*setback, retry);
        ++retry;
    }
}

} // namespace dcmpipe::upload
