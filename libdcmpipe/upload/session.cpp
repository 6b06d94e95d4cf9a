#include "upload/session.hpp"

#include "core/log.hpp"
#include "core/stop.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::upload {

namespace {

std::string login_json(const Entrance& entrance, const Credentials& credentials)
{
    try {
        const nlohmann::ordered_json json{
            {entrance.username_key, credentials.username}, {entrance.password_key, credentials.password}};
        return json.dump();
    } catch (const nlohmann::json::exception&) {
        throw Error{ErrorKind::Usage, "the user name or the password is not UTF-8"};
    }
}

bool is_a_header_value(std::string_view text)
{
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string base64(std::string_view bytes)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t three = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            three = three << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            text += at + i <= bytes.size() ? digits[three >> (18U - 6U * i) & 63U] : '=';
        }
    }
    return text;
}

} // namespace

std::string says(const HttpAnswer& answer)
{
    const auto text = fmt::format("the server answered {}", answer.status);
    return answer.retry_after > 0 ? fmt::format("{} and asks to wait {:.0f} s", text, answer.retry_after)
                                  : text;
}

std::optional<Setback> setback_in(const HttpAnswer& answer, std::string_view doing, std::string_view subject)
{
    const auto setback = [&](Verdict verdict, ErrorKind kind, std::string_view hint = {}) {
        return Setback{
            verdict, Error{kind, doing, subject, fmt::format("{}{}", says(answer), hint)},
            answer.retry_after};
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
    return std::nullopt;
}

std::string checked_url(std::string url)
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

Session::Session(
    Entrance entrance, Credentials credentials, HttpSettings http, unsigned max_retries, Backoff backoff)
    : entrance_(std::move(entrance)), credentials_(std::move(credentials)), http_(std::move(http)),
      max_retries_(max_retries), backoff_(backoff)
{
    const bool has_token = !credentials_.token.empty();
    const bool has_name = !credentials_.username.empty();
    if (!has_token && !has_name && !entrance_.may_be_open) {
        throw Error{
            ErrorKind::Usage, "no credentials given (--token-file, or --username with --password-file)"};
    }
    if (has_name && entrance_.login_url.empty() && !entrance_.basic) {
        throw Error{ErrorKind::Usage, "this API knows no login: give its token by --token-file"};
    }
}

/// Gets a token. A login that is refused ends the batch: nothing else would get one.
std::optional<Setback> Session::log_in()
{
    const auto answer = http_.post_json(entrance_.login_url, login_json(entrance_, credentials_));
    const auto error = [&](ErrorKind kind, std::string_view reason) {
        return Error{kind, "cannot log in at", entrance_.login_url, reason};
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
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    const auto token = body.find(entrance_.token_key);
    if (token == body.end() || !token->is_string() || !is_a_header_value(token->get<std::string>())) {
        throw error(ErrorKind::Usage, fmt::format("the answer holds no '{}' token", entrance_.token_key));
    }
    credentials_.token = token->get<std::string>();
    return std::nullopt;
}

std::string Session::authorization() const
{
    if (entrance_.basic && !credentials_.username.empty()) {
        return "Authorization: Basic " + base64(credentials_.username + ":" + credentials_.password);
    }
    return credentials_.token.empty() ? std::string{} : entrance_.token_header + credentials_.token;
}

void Session::wait(const Setback& setback, unsigned retry)
{
    const double chance = std::uniform_real_distribution<>{}(chance_);
    const double seconds = backoff_.delay(retry, chance, setback.retry_after);
    log::info("{}; try {} of {} in {:.1f} s", setback.error.what(), retry + 1, max_retries_ + 1, seconds);
    if (!stop::sleep(seconds)) {
        throw Error{ErrorKind::Cancelled, "stopped between two tries"};
    }
}

void Session::exchange(
    const std::function<std::optional<Setback>(HttpClient& http, const std::string& authorization)>& post)
{
    const bool can_log_in = !entrance_.login_url.empty() && !credentials_.username.empty();
    const auto attempt = [&]() -> std::optional<Setback> {
        try {
            if (can_log_in && credentials_.token.empty()) {
                if (auto setback = log_in()) {
                    return setback;
                }
            }
            return post(http_, authorization());
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::Peer) {
                return Setback{Verdict::TryLater, error, 0};
            }
            throw;
        }
    };
    bool logged_in_again = !can_log_in;
    for (unsigned retry = 1;;) {
        const auto setback = attempt();
        if (!setback) {
            return;
        }
        if (setback->verdict == Verdict::LogInAgain && !logged_in_again) {
            credentials_.token.clear();
            logged_in_again = true;
            continue;
        }
        const bool too_long = setback->retry_after > backoff_.longest;
        if (setback->verdict != Verdict::TryLater || retry > max_retries_ || too_long) {
            throw Error{setback->error};
        }
        wait(*setback, retry);
        ++retry;
    }
}

} // namespace dcmpipe::upload
